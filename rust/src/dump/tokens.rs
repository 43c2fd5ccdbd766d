//! The words, names and symbols of a statement that is no INSERT, or of an INSERT up to its rows.

use memchr::{memchr, memmem};

use super::lexer::{is_line_comment, is_space, is_word};
use super::quoted::Quoted;
use super::settings::Quoting;
use super::statement::skipped;
use super::unescape::unescape;
use super::version::{Opening, Server, opening};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// A keyword, a number, or a name without quotes.
    Word(&'a [u8]),
    /// A name in quotes, without them.
    Name(Vec<u8>),
    /// A string, unescaped.
    Text(Vec<u8>),
    /// Any other byte.
    Symbol(u8),
}

impl Token<'_> {
    /// Whether this is the keyword `keyword`.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword.as_bytes()))
    }

    /// The bytes of a name.
    #[must_use]
    pub fn into_name(self) -> Option<Vec<u8>> {
        match self {
            Self::Word(word) => Some(word.to_vec()),
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// Tokens of a text. They end where the text does, and before a string, name or comment that it cuts.
pub struct Tokens<'a> {
    /// What has not been read yet.
    pub rest: &'a [u8],
    quoting: Quoting,
    server: Option<Server>,
}

impl<'a> Tokens<'a> {
    /// The tokens of `text`; conditional comments are executed as `server` would.
    #[must_use]
    pub fn new(text: &'a [u8], quoting: Quoting, server: Option<Server>) -> Self {
        Self { rest: text, quoting, server }
    }

    /// The next token, which is not taken.
    #[must_use]
    pub fn peek(&self) -> Option<Token<'a>> {
        Self { rest: self.rest, quoting: self.quoting, server: self.server }.next()
    }

    /// Takes the next token if it is the keyword `keyword`.
    pub fn accept(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(keyword));
        if found {
            self.next();
        }
        found
    }

    /// Takes the next token if it is `symbol`.
    pub fn accept_symbol(&mut self, symbol: u8) -> bool {
        let found = self.peek() == Some(Token::Symbol(symbol));
        if found {
            self.next();
        }
        found
    }

    /// Takes a name that may be qualified: the qualifier and the name.
    pub fn accept_name(&mut self) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
        let name = self.next()?.into_name()?;
        if !self.accept_symbol(b'.') {
            return Some((None, name));
        }
        Some((Some(name), self.next()?.into_name()?))
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn skip_blank(&mut self) -> Option<()> {
        loop {
            match self.rest {
                [byte, ..] if is_space(*byte) => self.skip(1),
                text if is_line_comment(text) => self.skip(memchr(b'\n', text)?),
                [b'*', b'/', ..] => self.skip(2),
                [b'/', b'*', ..] => match opening(self.rest, self.server) {
                    Opening::Executed(length) => self.skip(length),
                    Opening::Plain => self.skip(memmem::find(&self.rest[2..], b"*/")? + 4),
                    Opening::Skipped => self.skip(skipped(self.rest)?),
                },
                _ => return Some(()),
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blank()?;
        let text = self.rest;
        match *text.first()? {
            quote @ (b'\'' | b'"' | b'`') => {
                let mut quoted = Quoted::new(quote, self.quoting);
                let length = match quoted.advance(&text[1..]) {
                    Some(length) => length,
                    None if quoted.is_closed() => text.len() - 1,
                    None => return None,
                };
                self.skip(length + 1);
                let name = quote == b'`' || (quote == b'"' && self.quoting.ansi);
                let quoting = Quoting { backslash: self.quoting.backslash && !name, ..self.quoting };
                let mut inside = Vec::new();
                unescape(&text[1..length], quote, quoting, &mut inside);
                Some(if name { Token::Name(inside) } else { Token::Text(inside) })
            }
            byte if is_word(byte) => {
                let length = text.iter().position(|&byte| !is_word(byte)).unwrap_or(text.len());
                self.skip(length);
                Some(Token::Word(&text[..length]))
            }
            byte => {
                self.skip(1);
                Some(Token::Symbol(byte))
            }
        }
    }
}
