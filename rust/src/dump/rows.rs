//! The rows of an INSERT, `(1,'a'),(2,NULL)`, value by value.

use memchr::{memchr, memchr_iter, memmem};

use super::fault::{Fault, shown};
use super::lexer::{is_line_comment, is_space, is_word};
use super::literal::{Literal, Text, Value};
use super::quoted::Quoted;
use super::settings::Quoting;
use super::settings::Settings;

/// How deep `CONVERT(CAST(... AS ...) USING ...)` goes.
const DEEPEST: usize = 4;

/// Who takes the values of a row, from the first to the last.
pub trait Sink {
    /// Takes the value of field `field` (from 0).
    ///
    /// # Errors
    /// What about the value is wrong.
    fn take(&mut self, field: usize, value: &Value) -> Result<(), String>;
}

/// A walk over the rows in some bytes of a dump.
pub struct Rows {
    at: usize,
    begun: bool,
    offset: u64,
    line: u64,
    fields: usize,
    quoting: Quoting,
    binary: bool,
}

impl Rows {
    /// A walk over rows of `fields` values each, the first of which lies at `offset` on line `line` of the dump.
    #[must_use]
    pub fn new(offset: u64, line: u64, fields: usize, settings: &Settings) -> Self {
        let binary = settings.charset == "binary";
        Self { at: 0, begun: false, offset, line, fields, quoting: settings.quoting(), binary }
    }

    /// The place in the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// Hands the values of the next row to `sink`; false when there is none. `data` must be the same at each call.
    ///
    /// # Errors
    /// A fault where the data are no rows of so many values, or `sink` refuses one.
    pub fn next_row(&mut self, data: &[u8], sink: &mut impl Sink) -> Result<bool, Fault> {
        self.skip_blank(data)?;
        if self.begun {
            match data.get(self.at) {
                None => return Ok(false),
                Some(b',') => self.at += 1,
                Some(_) => return Err(self.expected(data, "a comma or the end of the rows")),
            }
            self.skip_blank(data)?;
        } else if data.is_empty() {
            return Ok(false);
        }
        self.begun = true;
        self.symbol(data, b'(', "( of a row")?;
        for field in 0..self.fields {
            self.skip_blank(data)?;
            let start = self.at;
            let value = self.value(data, DEEPEST)?;
            if let Err(what) = sink.take(field, &value) {
                self.at = start;
                return Err(self.fault(data, format!("field {}: {what}", field + 1)));
            }
            self.skip_blank(data)?;
            let last = field + 1 == self.fields;
            match data.get(self.at) {
                Some(b')') if last => (),
                Some(b',') if !last => self.at += 1,
                Some(b')') => {
                    let what = format!("the row has {} values, expected {}", field + 1, self.fields);
                    return Err(self.fault(data, what));
                }
                Some(b',') => {
                    return Err(self
                        .fault(data, format!("the row has more than the {} values expected", self.fields)));
                }
                _ => return Err(self.expected(data, "a comma or ) after a value")),
            }
        }
        self.skip_blank(data)?;
        self.symbol(data, b')', ") at the end of a row")?;
        Ok(true)
    }

    fn value<'a>(&mut self, data: &'a [u8], deepest: usize) -> Result<Value<'a>, Fault> {
        let literal = match data.get(self.at) {
            Some(&quote @ (b'\'' | b'"')) if quote == b'\'' || !self.quoting.ansi => {
                self.text(data, quote)?
            }
            Some(b'0') if matches!(data.get(self.at + 1), Some(b'x' | b'b')) => self.prefixed(data)?,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => self.number(data)?,
            Some(&byte) if is_word(byte) => return self.word(data, deepest),
            _ => return Err(self.expected(data, "a value")),
        };
        Ok(Value { literal, charset: None })
    }

    fn text<'a>(&mut self, data: &'a [u8], quote: u8) -> Result<Literal<'a>, Fault> {
        let raw = self.quoted(data, quote)?;
        let end = self.at;
        let mut more = end;
        // The next byte is nearly always the comma.
        while let Some(&byte) = data.get(self.at) {
            if is_space(byte) {
                self.at += 1;
            } else if byte == b'\'' || (byte == b'"' && !self.quoting.ansi) {
                self.quoted(data, byte)?;
                more = self.at;
            } else {
                break;
            }
        }
        Ok(Literal::Text(Text { raw, quote, more: &data[end..more] }))
    }

    /// What stands between two quotes.
    #[inline]
    fn quoted<'a>(&mut self, data: &'a [u8], quote: u8) -> Result<&'a [u8], Fault> {
        let inside = self.at + 1;
        let mut quoted = Quoted::new(quote, self.quoting);
        match quoted.advance(&data[inside..]) {
            Some(length) => self.at = inside + length,
            None if quoted.is_closed() => self.at = data.len(),
            None => return Err(self.expected(data, "a closing quote of the string that begins here")),
        }
        Ok(&data[inside..self.at - 1])
    }

    fn digits<'a>(&mut self, data: &'a [u8], prefix: usize) -> &'a [u8] {
        let start = self.at + prefix;
        let count = data[start..].iter().position(|&byte| !is_word(byte)).unwrap_or(data.len() - start);
        self.at = start + count;
        &data[start..self.at]
    }

    /// `0x...` or `0b...`.
    fn prefixed<'a>(&mut self, data: &'a [u8]) -> Result<Literal<'a>, Fault> {
        let hexadecimal = data[self.at + 1] == b'x';
        match self.digits(data, 2) {
            [] => Err(self.expected(data, "digits")),
            digits if hexadecimal => Ok(Literal::Hex(digits)),
            digits => Ok(Literal::Bits(digits)),
        }
    }

    #[inline]
    fn number<'a>(&mut self, data: &'a [u8]) -> Result<Literal<'a>, Fault> {
        let text = &data[self.at..];
        let mut end = usize::from(matches!(text[0], b'+' | b'-'));
        let whole = digits(text, &mut end);
        let mut wrong = !whole;
        if text.get(end) == Some(&b'.') {
            end += 1;
            wrong &= !digits(text, &mut end);
        }
        if let Some(b'e' | b'E') = text.get(end) {
            end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            wrong |= !digits(text, &mut end);
        }
        if wrong || text.get(end).is_some_and(|&byte| is_word(byte)) {
            return Err(self.expected(data, "a number"));
        }
        self.at += end;
        Ok(Literal::Number(&text[..end]))
    }

    fn word<'a>(&mut self, data: &'a [u8], deepest: usize) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let word = self.digits(data, 0);
        let next = data.get(self.at).copied();
        let plain = |literal| Ok(Value { literal, charset: None });
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match next {
            Some(b'\'') if is("x") => plain(Literal::Hex(self.quoted(data, b'\'')?)),
            Some(b'\'') if is("b") => plain(Literal::Bits(self.quoted(data, b'\'')?)),
            Some(b'\'') if is("n") => {
                let literal = self.text(data, b'\'')?;
                Ok(Value { literal, charset: Some(b"utf8") })
            }
            Some(b'(') if deepest > 0 && (is("convert") || is("cast")) => {
                self.at += 1;
                self.converted(data, deepest - 1)
            }
            _ if is("null") => plain(Literal::Null),
            _ if is("default") => plain(Literal::Default),
            _ if is("true") => plain(Literal::Number(b"1")),
            _ if is("false") => plain(Literal::Number(b"0")),
            _ if word[0] == b'_' && deepest > 0 => {
                self.skip_blank(data)?;
                let value = self.value(data, 0)?;
                Ok(Value { charset: Some(&word[1..]), ..value })
            }
            _ => {
                self.at = start;
                Err(self.expected(data, "a value"))
            }
        }
    }

    /// `CONVERT(... USING charset)`, as mydumper writes JSON, and `CAST(... AS JSON)`, from after the bracket.
    fn converted<'a>(&mut self, data: &'a [u8], deepest: usize) -> Result<Value<'a>, Fault> {
        self.skip_blank(data)?;
        let value = self.value(data, deepest)?;
        self.skip_blank(data)?;
        let how = self.digits(data, 0);
        self.skip_blank(data)?;
        let what = self.digits(data, 0);
        self.skip_blank(data)?;
        self.symbol(data, b')', ") after a conversion")?;
        if how.eq_ignore_ascii_case(b"using") {
            let binary = matches!(value.literal, Literal::Hex(_) | Literal::Bits(_)) || self.binary;
            let charset = value.charset.or(binary.then_some(what));
            return Ok(Value { charset, ..value });
        }
        let kept = ["json", "char", "binary"].iter().any(|kind| what.eq_ignore_ascii_case(kind.as_bytes()));
        if how.eq_ignore_ascii_case(b"as") && kept {
            return Ok(value);
        }
        Err(self.expected(data, "USING and a character set, or AS JSON, CHAR or BINARY, before this bracket"))
    }

    fn symbol(&mut self, data: &[u8], symbol: u8, name: &str) -> Result<(), Fault> {
        if data.get(self.at) == Some(&symbol) {
            self.at += 1;
            return Ok(());
        }
        Err(self.expected(data, name))
    }

    #[inline]
    fn skip_blank(&mut self, data: &[u8]) -> Result<(), Fault> {
        match data.get(self.at) {
            Some(b' ' | b'\t'..=b'\r' | b'#' | b'-' | b'/') => self.skip_blanks(data),
            _ => Ok(()),
        }
    }

    #[cold]
    fn skip_blanks(&mut self, data: &[u8]) -> Result<(), Fault> {
        loop {
            let rest = &data[self.at..];
            match rest {
                [byte, ..] if is_space(*byte) => self.at += 1,
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => {
                    return Err(self.expected(data, "no conditional comment inside a row"));
                }
                [b'/', b'*', ..] => match memmem::find(&rest[2..], b"*/") {
                    Some(length) => self.at += length + 4,
                    None => return Err(self.expected(data, "a closing */ of the comment that begins here")),
                },
                _ if is_line_comment(rest) => self.at += memchr(b'\n', rest).unwrap_or(rest.len()),
                _ => return Ok(()),
            }
        }
    }

    #[cold]
    fn expected(&self, data: &[u8], what: &str) -> Fault {
        match &data[self.at.min(data.len())..] {
            [] => self.fault(data, format!("the rows end here: expected {what}")),
            rest => self.fault(data, format!("{} found: expected {what}", shown(rest))),
        }
    }

    #[cold]
    fn fault(&self, data: &[u8], what: String) -> Fault {
        let newlines = memchr_iter(b'\n', &data[..self.at.min(data.len())]).count();
        Fault { offset: self.offset(), line: self.line + newlines as u64, what }
    }

    /// A fault at a place told before by [`Rows::offset`].
    #[must_use]
    pub fn fault_at(&self, data: &[u8], offset: u64, what: String) -> Fault {
        let at = usize::try_from(offset - self.offset).unwrap_or(data.len());
        let newlines = memchr_iter(b'\n', &data[..at.min(data.len())]).count();
        Fault { offset, line: self.line + newlines as u64, what }
    }
}

/// Passes over digits; whether there are any.
#[inline]
fn digits(text: &[u8], end: &mut usize) -> bool {
    let start = *end;
    while text.get(*end).is_some_and(u8::is_ascii_digit) {
        *end += 1;
    }
    *end > start
}
