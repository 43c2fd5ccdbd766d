//! Literals of SQL and the bytes they mean.

use super::lexer::is_space;
use super::quoted::Quoted;
use super::settings::Quoting;
use super::unescape::unescape;

/// A value of a row as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal<'a> {
    /// `NULL`.
    Null,
    /// `DEFAULT`, which only the table's definition tells.
    Default,
    /// A number; its text.
    Number(&'a [u8]),
    /// A string.
    Text(Text<'a>),
    /// The digits of `0x...` or `X'...'`.
    Hex(&'a [u8]),
    /// The digits of `0b...` or `b'...'`.
    Bits(&'a [u8]),
}

/// A literal and the character set that it says its bytes are of (`_latin1'...'`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// As it is written, without the introducer.
    pub literal: Literal<'a>,
    /// The introducer, without its `_`.
    pub charset: Option<&'a [u8]>,
}

/// A string as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// What stands between the quotes.
    pub raw: &'a [u8],
    /// The quote.
    pub quote: u8,
    /// Further strings after it, quotes included, which are one value with it; nearly always empty.
    pub more: &'a [u8],
}

impl Text<'_> {
    /// Appends the bytes that the string means.
    #[inline]
    pub fn unescape(&self, quoting: Quoting, out: &mut Vec<u8>) {
        unescape(self.raw, self.quote, quoting, out);
        let mut more = self.more;
        while let [first, rest @ ..] = more {
            if is_space(*first) {
                more = rest;
                continue;
            }
            let mut quoted = Quoted::new(*first, quoting);
            let length = quoted.advance(rest).unwrap_or(rest.len());
            unescape(&rest[..length.saturating_sub(1)], *first, quoting, out);
            more = &rest[length..];
        }
    }
}

/// Appends the bytes that hexadecimal digits spell; of an odd number of digits the first stands alone.
///
/// # Errors
/// The digit that is none.
pub fn unhex(digits: &[u8], out: &mut Vec<u8>) -> Result<(), u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        other => Err(other),
    };
    let (first, pairs) = digits.split_at(digits.len() % 2);
    if let [single] = first {
        out.push(digit(*single)?);
    }
    out.reserve(pairs.len() / 2);
    for [high, low] in pairs.as_chunks::<2>().0 {
        out.push(digit(*high)? << 4 | digit(*low)?);
    }
    Ok(())
}

/// Appends the bytes that binary digits spell, the first byte filled up with zeros on its left.
///
/// # Errors
/// The digit that is none.
pub fn unbit(digits: &[u8], out: &mut Vec<u8>) -> Result<(), u8> {
    let (first, bytes) = digits.split_at(digits.len() % 8);
    for byte in (!first.is_empty()).then_some(first).into_iter().chain(bytes.chunks(8)) {
        let mut value = 0;
        for &digit in byte {
            if !matches!(digit, b'0' | b'1') {
                return Err(digit);
            }
            value = value << 1 | (digit - b'0');
        }
        out.push(value);
    }
    Ok(())
}
