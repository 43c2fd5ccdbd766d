//! A second reader of rows, a byte at a time, that shares nothing with the first but the settings.

use super::dump::settings::Quoting;

/// A value: its bytes, numbers as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Bytes(Vec<u8>),
}

/// The rows in `text`, if it is nothing but rows of strings, numbers, hexadecimal literals and NULL.
pub fn rows(text: &[u8], fields: usize, quoting: &Quoting, sjis: bool) -> Option<Vec<Vec<Cell>>> {
    let mut at = 0;
    let mut rows = Vec::new();
    loop {
        let mut row = Vec::new();
        spaces(text, &mut at);
        byte(text, &mut at, b'(')?;
        loop {
            spaces(text, &mut at);
            row.push(cell(text, &mut at, quoting, sjis)?);
            spaces(text, &mut at);
            if byte(text, &mut at, b',').is_none() {
                byte(text, &mut at, b')')?;
                break;
            }
        }
        if row.len() != fields {
            return None;
        }
        rows.push(row);
        spaces(text, &mut at);
        if at == text.len() {
            return Some(rows);
        }
        byte(text, &mut at, b',')?;
    }
}

fn spaces(text: &[u8], at: &mut usize) {
    while matches!(text.get(*at), Some(b' ' | 9..=13)) {
        *at += 1;
    }
}

fn byte(text: &[u8], at: &mut usize, wanted: u8) -> Option<()> {
    (text.get(*at) == Some(&wanted)).then(|| *at += 1)
}

fn cell(text: &[u8], at: &mut usize, quoting: &Quoting, sjis: bool) -> Option<Cell> {
    let first = *text.get(*at)?;
    if first == b'\'' || (first == b'"' && !quoting.ansi) {
        *at += 1;
        return string(text, at, first, quoting.backslash, sjis).map(Cell::Bytes);
    }
    let start = *at;
    while text.get(*at).is_some_and(|byte| !b"'\"(),;/#`@ \t\r\n\x0b\x0c".contains(byte)) {
        *at += 1;
    }
    let word = std::str::from_utf8(&text[start..*at]).ok()?;
    if word.eq_ignore_ascii_case("null") {
        return Some(Cell::Null);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
            u8::from_str_radix(pair, 16).ok()
        });
        return pairs.collect::<Option<_>>().filter(|bytes: &Vec<u8>| !bytes.is_empty()).map(Cell::Bytes);
    }
    let known = word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    (known && word.parse::<f64>().is_ok()).then(|| Cell::Bytes(word.as_bytes().to_vec()))
}

fn string(text: &[u8], at: &mut usize, quote: u8, backslash: bool, sjis: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let byte = *text.get(*at)?;
        let next = text.get(*at + 1).copied();
        *at += 1;
        if let Some(next) = next.filter(|next| {
            sjis && matches!(byte, 0x81..=0x9F | 0xE0..=0xFC) && matches!(next, 0x40..=0x7E | 0x80..=0xFE)
        }) {
            out.extend([byte, next]);
            *at += 1;
        } else if byte == quote {
            if next != Some(quote) {
                break;
            }
            out.push(quote);
            *at += 1;
        } else if byte == b'\\' && backslash {
            match next? {
                b'0' => out.push(0),
                b'b' => out.push(8),
                b't' => out.push(9),
                b'n' => out.push(10),
                b'r' => out.push(13),
                b'Z' => out.push(26),
                kept @ (b'%' | b'_') => out.extend([b'\\', kept]),
                other => out.push(other),
            }
            *at += 1;
        } else {
            out.push(byte);
        }
    }
    // A string that follows is one with it, which is not read here.
    let mut after = *at;
    spaces(text, &mut after);
    (!matches!(text.get(after), Some(b'\'' | b'"'))).then_some(out)
}
