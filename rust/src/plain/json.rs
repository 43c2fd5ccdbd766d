//! JSON to one text for all texts that mean the same to `jsonb`.
//!
//! No white space; the keys of an object in the order of their bytes, of equal ones the last; numbers as their
//! digits without zeros at either end and an exponent, since jsonb compares them as decimals; strings with the
//! fewest escapes. Half a surrogate pair, which no UTF-8 has, stays an escape.

use std::io::Write;

/// A value deeper than this is not read: each level takes a frame of the stack.
const DEEPEST: usize = 1_000;

/// Appends the canonical form of `text`; false where it is not one JSON value.
pub fn read(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut reader = Reader { text, at: 0 };
    reader.value(out, 0).is_some() && {
        reader.skip();
        reader.at == text.len()
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.skip();
        match self.text.get(self.at)? {
            b'{' => self.object(out, depth),
            b'[' => self.array(out, depth),
            b'"' => self.string(out),
            b'-' | b'0'..=b'9' => self.number(out),
            _ => self.word(out),
        }
    }

    fn word(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let word = ["true", "false", "null"]
            .into_iter()
            .find(|word| self.text[self.at..].starts_with(word.as_bytes()))?;
        self.at += word.len();
        out.extend_from_slice(word.as_bytes());
        Some(())
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.at += 1;
        out.push(b'[');
        self.skip();
        if self.text.get(self.at) == Some(&b']') {
            self.at += 1;
            out.push(b']');
            return Some(());
        }
        loop {
            self.value(out, depth + 1)?;
            self.skip();
            let byte = self.next()?;
            match byte {
                b',' | b']' => out.push(byte),
                _ => return None,
            }
            if byte == b']' {
                return Some(());
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.at += 1;
        let mut members: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        self.skip();
        if self.text.get(self.at) == Some(&b'}') {
            self.at += 1;
        } else {
            loop {
                self.skip();
                let (mut key, mut value) = (Vec::new(), Vec::new());
                if self.text.get(self.at) != Some(&b'"') {
                    return None;
                }
                self.string(&mut key)?;
                self.skip();
                if self.next()? != b':' {
                    return None;
                }
                self.value(&mut value, depth + 1)?;
                members.push((key, value));
                self.skip();
                match self.next()? {
                    b',' => {}
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        // A stable sort keeps equal keys in their order.
        members.sort_by(|one, other| one.0.cmp(&other.0));
        out.push(b'{');
        let mut first = true;
        for (place, (key, value)) in members.iter().enumerate() {
            if members.get(place + 1).is_some_and(|next| next.0 == *key) {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
        Some(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let negative = self.text[self.at] == b'-';
        self.at += usize::from(negative);
        let whole = self.digits();
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return None;
        }
        let mut digits = whole.to_vec();
        let mut exponent = 0_i64;
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            let part = self.digits();
            if part.is_empty() {
                return None;
            }
            digits.extend_from_slice(part);
            exponent -= i64::try_from(part.len()).ok()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            let down = match self.text.get(self.at)? {
                b'-' => true,
                b'+' => false,
                _ => {
                    self.at -= 1;
                    false
                }
            };
            self.at += 1;
            let part = std::str::from_utf8(self.digits()).ok()?;
            let value: i64 = part.parse().ok()?;
            exponent = exponent.checked_add(if down { -value } else { value })?;
        }
        let start = digits.iter().position(|&digit| digit != b'0');
        let Some(start) = start else {
            // jsonb's numbers have no negative zero.
            out.push(b'0');
            return Some(());
        };
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        if negative {
            out.push(b'-');
        }
        out.extend_from_slice(&digits[start..]);
        if exponent != 0 {
            write!(out, "e{exponent}").ok()?;
        }
        Some(())
    }

    fn digits(&mut self) -> &[u8] {
        let start = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at += 1;
        out.push(b'"');
        loop {
            let start = self.at;
            while !matches!(self.text.get(self.at)?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            out.extend_from_slice(&self.text[start..self.at]);
            match self.next()? {
                b'"' => {
                    out.push(b'"');
                    return Some(());
                }
                b'\\' => self.escape(out)?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let code = match self.next()? {
            b'"' => 0x22,
            b'\\' => 0x5c,
            b'/' => 0x2f,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'u' => self.unit()?,
            _ => return None,
        };
        let code = if (0xd800..0xdc00).contains(&code) { self.pair(code) } else { code };
        match char::from_u32(code) {
            Some('"') => out.extend_from_slice(b"\\\""),
            Some('\\') => out.extend_from_slice(b"\\\\"),
            Some(control) if control < ' ' => write!(out, "\\u{code:04x}").ok()?,
            Some(other) => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            None => write!(out, "\\u{code:04x}").ok()?,
        }
        Some(())
    }

    /// The second half of a surrogate pair, if it follows; else the first stays alone.
    fn pair(&mut self, high: u32) -> u32 {
        let before = self.at;
        if self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            if let Some(low @ 0xdc00..0xe000) = self.unit() {
                return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        self.at = before;
        high
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<String> {
        let mut out = Vec::new();
        read(text.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn texts_that_mean_the_same_have_one_form() {
        for (one, other) in [
            (r#"{"b": 1, "a": [true, null]}"#, r#"{"a":[true,null],"b":1}"#),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
            ("[1.50, 100, -0.0, 1e2, 0.001]", "[1.5, 1e2, 0, 100.0, 1E-3]"),
            (r#""\u00e9\/\ud83d\ude00\u0041""#, "\"é/😀A\""),
            (r#""\n\u0009""#, r#""\u000a\t""#),
            (r#"{"a\u0062": {}}"#, r#" { "ab" : { } } "#),
        ] {
            assert!(form(one).is_some(), "{one}");
            assert_eq!(form(one), form(other), "{one}");
        }
    }

    #[test]
    fn texts_that_differ_have_two() {
        for (one, other) in [
            ("1", "true"),
            ("1", "\"1\""),
            ("1.0000000000000000001", "1.0"),
            ("9007199254740993", "9007199254740992"),
            ("[1, 2]", "[2, 1]"),
            ("[12]", "[1,2]"),
            (r#"{"a": null}"#, "{}"),
            (r#""\\u0041""#, r#""\u0041""#),
            (r#""\"""#, r#""\\""#),
            (r#""\ud800""#, r#""\ud801""#),
            ("\"é\"", "\"e\u{301}\""),
            ("10", "1"),
            ("-1", "1"),
        ] {
            assert!(form(one).is_some() && form(other).is_some(), "{one} {other}");
            assert_ne!(form(one), form(other), "{one}");
        }
    }

    #[test]
    fn what_is_no_json_has_none() {
        for text in [
            "",
            "{",
            "[1,]",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "nul",
            "'a'",
            "\"\n\"",
            "\"\\x\"",
            "[1] 2",
            "{\"a\" 1}",
            "{1: 2}",
            "\"\\u12\"",
            "-",
        ] {
            assert_eq!(form(text), None, "{text}");
        }
        assert_eq!(form(&format!("{}{}", "[".repeat(2000), "]".repeat(2000))), None);
    }
}
