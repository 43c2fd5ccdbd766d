//! One value: a JSON number to float32, or the reason why it is none.

use super::cursor::Cursor;
use super::decimal;
use super::outcome::{Fault, Reason};
use super::swar;

/// The longest `plain` number, in bytes: sign, digit, point, two full words of digits and a part of a third.
const WINDOW: usize = 32;

/// 10^0 to 10^7.
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Reads the value at the cursor.
#[inline(always)]
pub fn parse(cursor: &mut Cursor) -> Result<f32, Fault> {
    if let Some((value, length)) = cursor.window().and_then(plain) {
        cursor.advance(length);
        return Ok(value);
    }
    let (value, after) = uncommon(*cursor)?;
    *cursor = after;
    Ok(value)
}

/// The common form, one digit, a point and up to 23 more digits, and its length in bytes. `None` for any
/// other form, valid or not.
#[inline(always)]
fn plain(window: &[u8; WINDOW]) -> Option<(f32, usize)> {
    let negative = window[0] == b'-';
    let mut at = usize::from(negative);
    let first = window[at].wrapping_sub(b'0');
    if first > 9 || window[at + 1] != b'.' {
        return None;
    }
    at += 2;
    let point = at;
    let mut significand = u64::from(first);
    let (mut values, mut count) = digits_at(window, at)?;
    while count == 8 {
        if at - point == 16 {
            return None;
        }
        significand = significand * 100_000_000 + swar::eight(values);
        at += 8;
        (values, count) = digits_at(window, at)?;
    }
    let ten = TENS[count as usize & 7];
    significand = significand
        .checked_mul(ten)?
        .checked_add(swar::up_to_seven(values, count))?;
    at += count as usize;
    if at == point || matches!(window.get(at), None | Some(b'e' | b'E')) {
        return None;
    }
    #[expect(clippy::cast_possible_wrap, reason = "at most 23")]
    let exponent = -((at - point) as i64);
    Some((decimal::nearest(negative, significand, exponent)?, at))
}

#[inline(always)]
fn digits_at(window: &[u8; WINDOW], at: usize) -> Option<(u64, u32)> {
    let word = window.get(at..at + 8)?.try_into().ok()?;
    Some(swar::leading_digits(u64::from_le_bytes(word)))
}

/// A value of any other form.
#[cold]
fn uncommon(mut cursor: Cursor) -> Result<(f32, Cursor), Fault> {
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
fn number(mut cursor: Cursor) -> Result<(f32, Cursor), Fault> {
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
        let power = power
            .number
            .and_then(|power| i64::try_from(power).ok())
            .unwrap_or(i64::MAX);
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
        Ok((value, cursor))
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
    fn take(&mut self, cursor: &mut Cursor) -> Result<i64, Fault> {
        let mut count = 0;
        while let Some(byte @ b'0'..=b'9') = cursor.peek() {
            let digit = u64::from(byte - b'0');
            self.number = self
                .number
                .and_then(|number| number.checked_mul(10)?.checked_add(digit));
            cursor.advance(1);
            count += 1;
        }
        if count == 0 {
            Err(cursor.unexpected())
        } else {
            Ok(count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads `text` as a value with something after it, near the end of the text and far from it.
    fn parsed(text: &str) -> Result<f32, Fault> {
        let near = parse(&mut Cursor::new(format!("{text},").as_bytes()));
        let far = parse(&mut Cursor::new(format!("{text},{:64}", 0).as_bytes()));
        assert_eq!(near.map(f32::to_bits), far.map(f32::to_bits));
        near
    }

    fn assert_exact(text: &str) {
        let expected: f32 = text.parse().unwrap();
        assert_eq!(parsed(text).map(f32::to_bits), Ok(expected.to_bits()), "{text}");
    }

    #[test]
    fn numbers_of_every_form() {
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "0e5",
            "1",
            "-1",
            "10",
            "123456789",
            "0.1",
            "-2e-3",
            "1E+5",
            "1e-05",
            "0.012731435708701611",
            "-1.2345678901234567e-7",
            "0.00000000000000000000000000000000000001",
            "1.401298464324817e-45",
            "7e-46",
            "7.1e-46",
            "3.4028235e38",
            "1e-400",
            "-1e-99999999999999999999",
            "0e99999999999999999999",
            "12345678901234567890123.5",
            "0.1234567890123456789012345678901234567",
            "16777217",
            "16777217.00000000000000000000001",
            "1.17549435082e-38",
            "340282346638528859811704183484516925440",
        ] {
            assert_exact(text);
        }
    }

    #[test]
    fn beyond_float32_is_not_finite() {
        for text in [
            "3.4028236e38",
            "1e39",
            "-1e999999999999999999999",
            "NaN",
            "Infinity",
            "-Infinity",
        ] {
            assert_eq!(parsed(text), Err(Fault::new(Reason::NonFinite, 0)), "{text}");
        }
    }

    #[test]
    fn other_json_is_not_a_number() {
        for text in ["null", "true", "false", "\"0.5\"", "[1]", "{}"] {
            assert_eq!(parsed(text), Err(Fault::new(Reason::NotANumber, 0)), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_reported_where_it_goes_wrong() {
        for (text, offset) in [
            ("", 0),
            (".5", 0),
            ("+1", 0),
            ("-", 1),
            ("-x", 1),
            ("1.", 2),
            ("1.e5", 2),
            ("1e", 2),
            ("1e+", 3),
            ("1e1.5", 4),
            ("nul", 3),
            ("nan", 1),
            ("NAN", 1),
            ("inf", 0),
            ("-Inf", 4),
            ("'1'", 0),
        ] {
            let found = parsed(text);
            if text == "1e1.5" {
                // The number ends before the byte that does not belong to it; the caller finds that byte.
                assert_eq!(found, Ok(10.0));
            } else {
                assert_eq!(found, Err(Fault::new(Reason::NotJson, offset)), "{text}");
            }
        }
    }

    #[test]
    fn a_number_at_the_end_of_the_text_is_cut() {
        for text in [
            "", "-", "1", "1.", "1.5", "1e", "1e-", "1e-5", "12345678", "nul", "-Infin",
        ] {
            let found = parse(&mut Cursor::new(text.as_bytes()));
            assert_eq!(found, Err(Fault::new(Reason::Truncated, text.len())), "{text}");
        }
    }

    #[test]
    fn a_number_stops_where_its_grammar_does() {
        for (text, length) in [
            ("01", 1),
            ("-01", 2),
            ("0.5.5", 3),
            ("1-", 1),
            ("1.5e3e", 5),
            ("0x10", 1),
        ] {
            let padded = format!("{text},{:64}", 0);
            let mut cursor = Cursor::new(padded.as_bytes());
            parse(&mut cursor).unwrap();
            assert_eq!(cursor.offset(), length, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn every_float_survives_its_shortest_float64_form(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            let wide = f64::from(value);
            for text in [format!("{wide}"), format!("{wide:?}"), format!("{wide:e}"), format!("{value:e}")] {
                prop_assert_eq!(parsed(&text).map(f32::to_bits), Ok(bits), "{}", text);
            }
        }

        #[test]
        fn any_decimal_is_rounded_once(text in "-?(0|[1-9][0-9]{0,21})(\\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?") {
            let expected: f32 = text.parse().unwrap();
            match parsed(&text) {
                Ok(value) => prop_assert_eq!(value.to_bits(), expected.to_bits()),
                Err(fault) => {
                    prop_assert_eq!(fault, Fault::new(Reason::NonFinite, 0));
                    prop_assert!(expected.is_infinite());
                }
            }
        }

        #[test]
        fn plain_decimals_are_rounded_once(text in "-?[0-9]\\.[0-9]{1,26}") {
            let expected: f32 = text.parse().unwrap();
            prop_assert_eq!(parsed(&text).map(f32::to_bits), Ok(expected.to_bits()));
        }
    }
}
