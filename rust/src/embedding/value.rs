//! One value of any form, byte by byte: a JSON number to float32, or the reason why it is none.

use super::cursor::Cursor;
use super::decimal;
use super::digits::{self, TENS};
use super::outcome::{Fault, Reason};

/// Reads the value at the cursor and tells its length in bytes.
pub fn parse(mut cursor: Cursor) -> Result<(f32, usize), Fault> {
    let start = cursor.offset();
    let reason = match cursor.peek() {
        Some(b'-' | b'0'..=b'9') => return number(cursor),
        Some(b'"' | b'{' | b'[') => Reason::NotANumber,
        Some(b't') => cursor.expect(b"true").map(|()| Reason::NotANumber)?,
        Some(b'f') => cursor.expect(b"false").map(|()| Reason::NotANumber)?,
        Some(b'n') => cursor.expect(b"null").map(|()| Reason::NotANumber)?,
        Some(b'N') => cursor.expect(b"NaN").map(|()| Reason::NonFinite)?,
        Some(b'I') => cursor.expect(b"Infinity").map(|()| Reason::NonFinite)?,
        _ => return Err(cursor.unexpected()),
    };
    Err(Fault::new(reason, start))
}

/// A number of any form. It must be followed by at least one byte: at the end of the text more digits may
/// have been cut off.
#[inline(always)]
fn number(mut cursor: Cursor) -> Result<(f32, usize), Fault> {
    let start = cursor.offset();
    let negative = cursor.take(b'-');
    if negative && cursor.peek() == Some(b'I') {
        cursor.expect(b"Infinity")?;
        return Err(Fault::new(Reason::NonFinite, start));
    }
    let mut digits = Digits::default();
    if !cursor.take(b'0') {
        digits.take(&mut cursor)?;
    }
    let mut exponent = 0;
    if cursor.take(b'.') {
        exponent -= digits.take(&mut cursor)?;
    }
    if cursor.take(b'e') || cursor.take(b'E') {
        let down = cursor.take(b'-');
        if !down {
            cursor.take(b'+');
        }
        let mut power = Digits::default();
        power.take(&mut cursor)?;
        // A power that overflows stands for one that is far out of reach either way: `nearest` declines it.
        let power = power.number.and_then(|power| i64::try_from(power).ok()).unwrap_or(i64::MAX);
        exponent = exponent.saturating_add(if down { -power } else { power });
    }
    if cursor.peek().is_none() {
        return Err(cursor.unexpected());
    }
    let value = digits
        .number
        .and_then(|significand| decimal::nearest(negative, significand, exponent))
        .unwrap_or_else(|| decimal::exact(cursor.since(start)));
    if value.is_finite() {
        Ok((value, cursor.offset() - start))
    } else {
        Err(Fault::new(Reason::NonFinite, start))
    }
}

/// Digits read so far as one number, `None` once it no longer fits.
struct Digits {
    number: Option<u64>,
}

impl Default for Digits {
    fn default() -> Self {
        Self { number: Some(0) }
    }
}

impl Digits {
    /// Takes one digit or more and returns how many.
    #[inline(always)]
    fn take(&mut self, cursor: &mut Cursor) -> Result<i64, Fault> {
        let start = cursor.offset();
        while let Some(text) = cursor.window() {
            let (count, number) = digits::leading(*text);
            self.append(TENS[count], number);
            cursor.advance(count);
            if count < 8 {
                break;
            }
        }
        while let Some(byte @ b'0'..=b'9') = cursor.peek() {
            self.append(10, u64::from(byte - b'0'));
            cursor.advance(1);
        }
        match cursor.since(start).len() {
            0 => Err(cursor.unexpected()),
            count => Ok(i64::try_from(count).unwrap_or(i64::MAX)),
        }
    }

    fn append(&mut self, scale: u64, digits: u64) {
        self.number = self.number.and_then(|number| number.checked_mul(scale)?.checked_add(digits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        parse(Cursor::new(text.as_bytes())).expect_err(text)
    }

    #[test]
    fn other_json_is_not_a_number() {
        for text in ["null", "true", "false", "\"0.5\"", "[1]", "{}"] {
            assert_eq!(fault(text), Fault::new(Reason::NotANumber, 0), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_reported_where_it_goes_wrong() {
        for (text, offset) in [(",", 0), (".5,", 0), ("+1,", 0), ("inf,", 0), ("'1',", 0)] {
            assert_eq!(fault(text), Fault::new(Reason::NotJson, offset), "{text}");
        }
        for (text, offset) in [("-,", 1), ("-x,", 1), ("nan,", 1), ("NAN,", 1), ("nul,", 3), ("-Inf,", 4)] {
            assert_eq!(fault(text), Fault::new(Reason::NotJson, offset), "{text}");
        }
        for (text, offset) in [("1.,", 2), ("1.e5,", 2), ("1e,", 2), ("1e+,", 3), ("1e.5,", 2)] {
            assert_eq!(fault(text), Fault::new(Reason::NotJson, offset), "{text}");
        }
    }

    #[test]
    fn a_value_at_the_end_of_the_text_is_cut() {
        for text in ["", "-", "1", "1.", "1.5", "1e", "1e-", "1e-5", "12345678", "nul", "-Infin"] {
            assert_eq!(fault(text), Fault::new(Reason::Truncated, text.len()), "{text}");
        }
    }

    #[test]
    fn a_number_stops_where_its_grammar_does() {
        for (text, length) in [("01", 1), ("-01", 2), ("0.5.5", 3), ("1-", 1), ("1.5e3e", 5), ("0x10", 1)] {
            let (_, found) = parse(Cursor::new(text.as_bytes())).unwrap();
            assert_eq!(found, length, "{text}");
        }
    }
}
