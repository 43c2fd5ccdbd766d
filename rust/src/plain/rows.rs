//! The rows of a dump's INSERT statements, read byte by byte: a second reader, for verification, that shares nothing
//! with the one that loads.
//!
//! A value comes as the bytes that stand for it, and a word on what they are: what a text's bytes mean in which
//! character set is the caller's to say (<https://dev.mysql.com/doc/refman/8.4/en/literals.html>).

use crate::error::Error;

/// What a value's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// NULL; no bytes.
    Null = 0,
    /// The content of a quoted text, in the character set of the statement.
    Text = 1,
    /// A number or a word, as it is written.
    Bare = 2,
    /// Bytes: of a literal of hexadecimal digits or bits, or of a text that `_binary` stands before.
    Bytes = 3,
}

/// One value: what it is, and its bytes.
pub type Value = (Form, Vec<u8>);

/// Reads rows `(1,'a'),(2,NULL)` one at a time.
pub struct Rows<'a> {
    bytes: &'a [u8],
    place: usize,
    backslash: bool,
}

impl<'a> Rows<'a> {
    /// Reads `bytes`, in which a backslash escapes or, under `NO_BACKSLASH_ESCAPES`, does not.
    #[must_use]
    pub const fn new(bytes: &'a [u8], backslash: bool) -> Self {
        Self { bytes, place: 0, backslash }
    }

    /// Returns the next row's values; None after the last.
    ///
    /// # Errors
    /// [`Error::Row`] where a byte does not belong.
    pub fn next_row(&mut self) -> Result<Option<Vec<Value>>, Error> {
        self.skip_space();
        if self.peek() == Some(b',') {
            self.place += 1;
            self.skip_space();
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        self.expect(b'(')?;
        let mut row = Vec::new();
        loop {
            self.skip_space();
            row.push(self.value()?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.place += 1,
                Some(b')') => {
                    self.place += 1;
                    return Ok(Some(row));
                }
                _ => return Err(self.wrong("a comma or a closing bracket")),
            }
        }
    }

    fn value(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(quote @ (b'\'' | b'"')) => Ok((Form::Text, self.quoted(quote)?)),
            Some(b'_') => {
                let name = self.word();
                self.skip_space();
                match name.to_ascii_lowercase().as_slice() {
                    b"_binary" => Ok((Form::Bytes, self.value()?.1)),
                    b"_utf8mb4" | b"_utf8" | b"_utf8mb3" => self.value(),
                    _ => Err(self.wrong("a character set that is known")),
                }
            }
            Some(_) => self.bare(),
            None => Err(self.wrong("a value")),
        }
    }

    fn bare(&mut self) -> Result<Value, Error> {
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("a value"));
        }
        if word.eq_ignore_ascii_case(b"NULL") {
            return Ok((Form::Null, Vec::new()));
        }
        if self.peek() == Some(b'\'') && word.len() == 1 {
            let digits = self.quoted(b'\'')?;
            return match word[0] {
                b'x' | b'X' => self.hexadecimal(&digits),
                b'b' | b'B' => self.bits(&digits),
                b'n' | b'N' => Ok((Form::Text, digits)),
                _ => Err(self.wrong("a value")),
            };
        }
        match word.as_slice() {
            [b'0', b'x', digits @ ..] => self.hexadecimal(digits),
            [b'0', b'b', digits @ ..] => self.bits(digits),
            _ => Ok((Form::Bare, word)),
        }
    }

    fn hexadecimal(&self, digits: &[u8]) -> Result<Value, Error> {
        let mut values = Vec::with_capacity(digits.len() + 1);
        if digits.len() % 2 == 1 {
            values.push(0);
        }
        for digit in digits {
            let value = (*digit as char).to_digit(16).ok_or_else(|| self.wrong("a hexadecimal digit"))?;
            values.push(u8::try_from(value).unwrap_or(0));
        }
        Ok((Form::Bytes, values.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()))
    }

    fn bits(&self, digits: &[u8]) -> Result<Value, Error> {
        let mut bytes = vec![0_u8; digits.len().div_ceil(8)];
        for (place, digit) in digits.iter().rev().enumerate() {
            match digit {
                b'0' => {}
                b'1' => {
                    let last = bytes.len() - 1;
                    bytes[last - place / 8] |= 1 << (place % 8);
                }
                _ => return Err(self.wrong("0 or 1")),
            }
        }
        Ok((Form::Bytes, bytes))
    }

    /// Reads up to what ends a bare word.
    fn word(&mut self) -> Vec<u8> {
        let start = self.place;
        while let Some(byte) = self.peek() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-') {
                self.place += 1;
            } else {
                break;
            }
        }
        self.bytes[start..self.place].to_vec()
    }

    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, Error> {
        self.expect(quote)?;
        let mut text = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.wrong("a closing quote"));
            };
            self.place += 1;
            if byte == quote {
                if self.peek() != Some(quote) {
                    return Ok(text);
                }
                self.place += 1;
                text.push(quote);
            } else if byte == b'\\' && self.backslash {
                let Some(escaped) = self.peek() else {
                    return Err(self.wrong("an escaped character"));
                };
                self.place += 1;
                match escaped {
                    b'0' => text.push(0),
                    b'b' => text.push(8),
                    b't' => text.push(b'\t'),
                    b'n' => text.push(b'\n'),
                    b'r' => text.push(b'\r'),
                    b'Z' => text.push(26),
                    // These two keep their backslash, for LIKE.
                    b'%' | b'_' => text.extend([b'\\', escaped]),
                    other => text.push(other),
                }
            } else {
                text.push(byte);
            }
        }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.place += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.place).copied()
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Error> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(&format!("{:?}", wanted as char)));
        }
        self.place += 1;
        Ok(())
    }

    /// Returns the error of a row of `found` values that was to have `fields`; the row was the last that was read.
    #[must_use]
    pub fn other_width(&self, found: usize, fields: usize) -> Error {
        self.wrong(&format!("a row of {fields} values, not {found}"))
    }

    fn wrong(&self, expected: &str) -> Error {
        Error::Row { place: self.place, expected: expected.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Rows};

    fn read(text: &str, backslash: bool) -> Vec<Vec<(Form, Vec<u8>)>> {
        let mut rows = Rows::new(text.as_bytes(), backslash);
        let mut found = Vec::new();
        while let Some(row) = rows.next_row().expect("these rows are well-formed") {
            found.push(row);
        }
        found
    }

    #[test]
    fn values_in_every_form() {
        let text = r"(1,-2.5e3,NULL,'a\'b''c\0\%',0x0aF,X'41',b'100000001',_binary '\\\n', true),
            ( 'x' , _utf8mb4'y' )";
        let [one, other] = &read(text, true)[..] else { panic!("two rows are there") };
        let bytes: Vec<&[u8]> = one.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        assert_eq!(
            bytes,
            [
                b"1".as_slice(),
                b"-2.5e3",
                b"",
                b"a'b'c\0\\%",
                b"\x00\xaf",
                b"A",
                b"\x01\x01",
                b"\\\n",
                b"true"
            ]
        );
        let forms: Vec<Form> = one.iter().map(|(form, _)| *form).collect();
        assert_eq!(
            forms,
            [
                Form::Bare,
                Form::Bare,
                Form::Null,
                Form::Text,
                Form::Bytes,
                Form::Bytes,
                Form::Bytes,
                Form::Bytes,
                Form::Bare
            ]
        );
        assert_eq!(other, &[(Form::Text, b"x".to_vec()), (Form::Text, b"y".to_vec())]);
    }

    #[test]
    fn a_backslash_is_a_character_where_the_statement_says_so() {
        assert_eq!(
            read(r"('\'),('\n')", false),
            [[(Form::Text, b"\\".to_vec())], [(Form::Text, b"\\n".to_vec())]]
        );
    }

    #[test]
    fn what_does_not_belong_is_told_by_its_place() {
        for (text, place) in
            [("(1", 2), ("(1,'a", 5), ("(1;", 2), ("x", 0), ("(,", 1), ("(0xg)", 4), ("(_latin1'a')", 8)]
        {
            let error = Rows::new(text.as_bytes(), true).next_row().expect_err(text);
            assert!(error.to_string().contains(&format!("byte {place}:")), "{text}: {error}");
        }
    }
}
