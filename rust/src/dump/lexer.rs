//! Passing over strings, names, comments and rows without looking into them.

use std::io::Read;

use memchr::{memchr, memmem};

use super::fault::Failure;
use super::quoted::Quoted;
use super::settings::Quoting;
use super::version::{Opening, Server, opening};
use super::window::Window;

/// Bytes that mean nothing by themselves inside a row.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let special = b"'\"`()-/#;";
    let mut at = 0;
    while at < special.len() {
        plain[special[at] as usize] = false;
        at += 1;
    }
    plain
};

/// White space as the server's lexer has it.
#[must_use]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether a name or keyword can go on with `byte`.
#[must_use]
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Whether `text` begins a comment that ends with the line; three bytes are enough.
#[must_use]
pub fn is_line_comment(text: &[u8]) -> bool {
    match text {
        [b'#', ..] | [b'-', b'-'] => true,
        [b'-', b'-', next, ..] => is_space(*next) || next.is_ascii_control(),
        _ => false,
    }
}

impl<R: Read> Window<R> {
    /// Passes over a string or name, whose opening quote is the current byte.
    ///
    /// # Errors
    /// A fault when the input ends first.
    #[inline]
    pub fn skip_quoted(&mut self, quoting: Quoting) -> Result<(), Failure> {
        let quote = self.rest()[0];
        self.skip(1);
        let mut quoted = Quoted::new(quote, quoting);
        if let Some(length) = quoted.advance(self.rest()) {
            self.skip(length);
            return Ok(());
        }
        self.skip_rest_of_quoted(quote, quoted)
    }

    #[cold]
    fn skip_rest_of_quoted(&mut self, quote: u8, mut quoted: Quoted) -> Result<(), Failure> {
        let (offset, line) = (self.offset() - 1, self.line());
        loop {
            self.skip(self.rest().len());
            if !self.more()? {
                if quoted.is_closed() {
                    return Ok(());
                }
                let quote = char::from(quote);
                return Err(self.fault(format!(
                    "the input ends inside a quoted text that begins on line {line}, byte {offset}: expected its \
                     closing {quote}"
                )));
            }
            if let Some(length) = quoted.advance(self.rest()) {
                self.skip(length);
                return Ok(());
            }
        }
    }

    /// Passes over a comment that ends with its line, whose first byte is the current one; its text, cut to what is
    /// worth looking at.
    ///
    /// # Errors
    /// As [`Window::more`].
    pub fn skip_line(&mut self) -> Result<Vec<u8>, Failure> {
        const MOST: usize = 256;
        let mut text = Vec::new();
        loop {
            let rest = self.rest();
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let whole = end < rest.len();
            let wanted = end.min(MOST - text.len());
            text.extend_from_slice(&rest[..wanted]);
            self.skip(end);
            if whole || !self.more()? {
                return Ok(text);
            }
        }
    }

    /// Passes over a comment `/* ... */`, whose first byte is the current one. In one that other servers would execute
    /// another comment may lie.
    ///
    /// # Errors
    /// A fault when the input ends first.
    pub fn skip_comment(&mut self, nests: bool) -> Result<(), Failure> {
        let (offset, line) = (self.offset(), self.line());
        self.skip(2);
        loop {
            let rest = self.ahead(2)?;
            let (end, inner) = (memmem::find(rest, b"*/"), memmem::find(rest, b"/*"));
            match (end, inner) {
                (Some(end), inner) if !nests || inner.is_none_or(|inner| end < inner) => {
                    self.skip(end + 2);
                    return Ok(());
                }
                (_, Some(inner)) if nests => {
                    self.skip(inner);
                    self.skip_comment(false)?;
                }
                _ => {
                    let all = rest.len().saturating_sub(1);
                    self.skip(all);
                    if !self.more()? {
                        self.skip(self.rest().len());
                        return Err(self.fault(format!(
                            "the input ends inside a comment that begins on line {line}, byte {offset}: expected its \
                             closing */"
                        )));
                    }
                }
            }
        }
    }

    /// Passes over white space and comments, those for other servers included; each comment line is shown to `seen`.
    ///
    /// # Errors
    /// A fault when the input ends inside a comment.
    pub fn skip_blank(
        &mut self,
        mut server: Option<Server>,
        mut seen: impl FnMut(&[u8]) -> Option<Server>,
    ) -> Result<(), Failure> {
        while let Some(byte) = self.byte()? {
            match byte {
                _ if is_space(byte) => {
                    let rest = self.rest();
                    let spaces = rest.iter().position(|&byte| !is_space(byte)).unwrap_or(rest.len());
                    self.skip(spaces);
                }
                b'#' | b'-' if is_line_comment(self.ahead(3)?) => {
                    let line = self.skip_line()?;
                    server = seen(&line).or(server);
                }
                b'/' if self.ahead(11)?.starts_with(b"/*") => match opening(self.rest(), server) {
                    Opening::Executed(_) => return Ok(()),
                    Opening::Plain => self.skip_comment(false)?,
                    Opening::Skipped => self.skip_comment(true)?,
                },
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Passes over one row of an INSERT, from its `(`, which is the current byte, to after its `)`.
    ///
    /// # Errors
    /// A fault when the input or the statement ends first.
    pub fn skip_row(&mut self, quoting: Quoting) -> Result<(), Failure> {
        let offset = self.offset();
        self.skip(1);
        let mut depth = 1;
        loop {
            let rest = self.rest();
            let plain = rest.iter().position(|&byte| !PLAIN[usize::from(byte)]).unwrap_or(rest.len());
            self.skip(plain);
            match self.byte()? {
                None => {
                    return Err(self.fault(format!(
                        "the input ends inside a row that begins at byte {offset}: expected its closing )"
                    )));
                }
                Some(b'\'' | b'"' | b'`') => self.skip_quoted(quoting)?,
                Some(b'(') => {
                    depth += 1;
                    self.skip(1);
                }
                Some(b')') => {
                    depth -= 1;
                    self.skip(1);
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Some(b'#') => _ = self.skip_line()?,
                Some(b'-') if is_line_comment(self.ahead(3)?) => _ = self.skip_line()?,
                Some(b'/') if self.ahead(2)?.starts_with(b"/*") => self.skip_comment(false)?,
                Some(b';') => {
                    return Err(self.fault(format!(
                        "a statement ends inside a row that begins at byte {offset}: expected its closing )"
                    )));
                }
                Some(_) => self.skip(usize::from(!PLAIN[usize::from(self.rest()[0])])),
            }
        }
    }
}
