//! What stands between the quotes of a string, to the bytes it means.

use memchr::memchr2;

use super::charset::Pairs;
use super::settings::Quoting;

/// Appends the bytes that `raw`, a string's inside that `quote` encloses, means (`get_text` in the server's `sql_lex.cc`).
pub fn unescape(raw: &[u8], quote: u8, quoting: Quoting, out: &mut Vec<u8>) {
    if quoting.pairs != Pairs::None {
        return slowly(raw, quote, quoting, out);
    }
    let mut rest = raw;
    while let Some(at) = find(rest, quote, quoting.backslash) {
        out.extend_from_slice(&rest[..at]);
        let escaped = rest.get(at + 1).copied();
        special(rest[at], escaped, out);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn find(text: &[u8], quote: u8, backslash: bool) -> Option<usize> {
    if backslash { memchr2(quote, b'\\', text) } else { memchr::memchr(quote, text) }
}

/// A doubled quote, or a backslash and what follows it.
fn special(first: u8, second: Option<u8>, out: &mut Vec<u8>) {
    match (first, second) {
        (b'\\', Some(second)) => {
            // Patterns of LIKE keep them.
            if matches!(second, b'%' | b'_') {
                out.push(b'\\');
            }
            out.push(meant(second));
        }
        _ => out.push(first),
    }
}

fn meant(escaped: u8) -> u8 {
    match escaped {
        b'0' => 0,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'Z' => 26,
        other => other,
    }
}

#[cold]
fn slowly(raw: &[u8], quote: u8, quoting: Quoting, out: &mut Vec<u8>) {
    let mut rest = raw;
    loop {
        rest = match *rest {
            [] => return,
            [first, second, ref rest @ ..] if quoting.pairs.is_one(first, second) => {
                out.extend_from_slice(&[first, second]);
                rest
            }
            [first, ref rest @ ..] if first == quote || (first == b'\\' && quoting.backslash) => {
                special(first, rest.first().copied(), out);
                rest.get(1..).unwrap_or_default()
            }
            [byte, ref rest @ ..] => {
                out.push(byte);
                rest
            }
        };
    }
}
