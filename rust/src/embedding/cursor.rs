//! A place in the text, and the few moves over JSON that objects and arrays share.

use super::outcome::{Fault, Reason};

/// The text of one row and how far it is read.
///
/// Rare cases take it by value and give it back, so that the common path can keep it in registers.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes from the start of the text.
    #[inline]
    pub fn offset(self) -> usize {
        self.at
    }

    #[inline]
    pub fn peek(self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next `N` bytes, if there are as many.
    #[inline]
    pub fn window<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.text.get(self.at..).and_then(<[u8]>::first_chunk)
    }

    /// The bytes since `start`.
    #[inline]
    pub fn since(self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    #[inline]
    pub fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes the next byte if it is `byte`.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// Takes `word`, of which nothing may be missing or different.
    pub fn expect(&mut self, word: &[u8]) -> Result<(), Fault> {
        for &byte in word {
            if !self.take(byte) {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// After a member: true for a comma, false for the `closing` bracket, which is left to be read.
    #[inline]
    pub fn has_another(&mut self, closing: u8) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == closing => Ok(false),
            _ => Err(self.unexpected()),
        }
    }

    /// Takes a string and returns what is between its quotes, escapes as they stand.
    pub fn string(&mut self) -> Result<&'a [u8], Fault> {
        self.expect(b"\"")?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                _ => return Err(self.unexpected()),
            }
        }
        let content = self.since(start);
        self.at += 1;
        Ok(content)
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.unexpected());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// The fault of a byte that no rule of JSON allows here, or of its absence.
    #[cold]
    pub fn unexpected(self) -> Fault {
        let reason = if self.at < self.text.len() { Reason::NotJson } else { Reason::Truncated };
        Fault::new(reason, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &[u8]) -> Result<(&[u8], usize), Fault> {
        let mut cursor = Cursor::new(text);
        let content = cursor.string()?;
        Ok((content, cursor.offset()))
    }

    #[test]
    fn strings_end_at_an_unescaped_quote() {
        assert_eq!(string(br#""12":"#), Ok((&b"12"[..], 4)));
        assert_eq!(string(br#""a\"\u00e9\n" "#), Ok((&br#"a\"\u00e9\n"#[..], 13)));
    }

    #[test]
    fn a_broken_string_is_reported_where_it_breaks() {
        assert_eq!(string(b"\"a\nb\""), Err(Fault::new(Reason::NotJson, 2)));
        assert_eq!(string(br#""\x""#), Err(Fault::new(Reason::NotJson, 2)));
        assert_eq!(string(br#""\u00g0""#), Err(Fault::new(Reason::NotJson, 5)));
        assert_eq!(string(br#""\u00"#), Err(Fault::new(Reason::Truncated, 5)));
        assert_eq!(string(b"\"abc"), Err(Fault::new(Reason::Truncated, 4)));
        assert_eq!(string(b"abc\""), Err(Fault::new(Reason::NotJson, 0)));
    }

    #[test]
    fn a_window_needs_all_its_bytes() {
        let mut cursor = Cursor::new(b"1234");
        assert_eq!(cursor.window::<4>(), Some(b"1234"));
        assert_eq!(cursor.window::<5>(), None);
        cursor.advance(9);
        assert_eq!(cursor.window::<1>(), None);
    }
}
