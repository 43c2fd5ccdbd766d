//! One component: the forms that numbers commonly have, read in a few steps each.

use super::cursor::Cursor;
use super::decimal;
use super::digits::{self, TENS};
use super::outcome::Fault;
use super::value;

/// The longest `long` number and the byte after it: sign, digit, point and three words.
const WINDOW: usize = 3 + 3 * 8;

/// Reads the value at the cursor.
#[inline(always)]
pub fn parse(cursor: &mut Cursor) -> Result<f32, Fault> {
    let (value, length) = match cursor.window().and_then(long) {
        Some(parsed) => parsed,
        None => uncommon(*cursor)?,
    };
    cursor.advance(length);
    Ok(value)
}

/// The form of almost all components: one digit, a point and 16 to 23 more digits. Gives the number's length
/// in bytes too. `None` for any other form, valid or not.
#[inline(always)]
fn long(window: &[u8; WINDOW]) -> Option<(f32, usize)> {
    let (negative, integer, fraction) = point(window)?;
    let significand = integer * TENS[8] * TENS[8] + digits::sixteen(fraction.first_chunk()?)?;
    let more = digits::count(*fraction[16..].first_chunk()?);
    if more == 8 || exponent_follows(fraction, 16 + more) {
        return None;
    }
    let length = usize::from(negative) + 2 + 16 + more;
    Some((decimal::nearest_to_16_places(negative, significand)?, length))
}

/// One digit, a point and 1 to 15 more digits, otherwise as `long`.
fn short(window: &[u8; WINDOW]) -> Option<(f32, usize)> {
    let (negative, integer, fraction) = point(window)?;
    let (mut count, number) = digits::leading(*fraction.first_chunk()?);
    let mut significand = integer * TENS[count] + number;
    if count == 8 {
        let (more, number) = digits::leading(*fraction[8..].first_chunk()?);
        significand = significand * TENS[more] + number;
        count += more;
    }
    if count == 0 || count == 16 || exponent_follows(fraction, count) {
        return None;
    }
    #[expect(clippy::cast_possible_wrap, reason = "15 at most")]
    let exponent = -(count as i64);
    Some((decimal::nearest(negative, significand, exponent)?, usize::from(negative) + 2 + count))
}

/// Whether there is a sign, the digit before the point, and the bytes after it.
#[inline(always)]
fn point(window: &[u8; WINDOW]) -> Option<(bool, u64, &[u8; WINDOW - 3])> {
    let negative = window[0] == b'-';
    let (&[integer, point], fraction) = window[usize::from(negative)..].split_first_chunk()?;
    let integer = integer.wrapping_sub(b'0');
    (integer <= 9 && point == b'.').then_some((negative, integer.into(), fraction.first_chunk()?))
}

#[inline(always)]
fn exponent_follows(fraction: &[u8; WINDOW - 3], count: usize) -> bool {
    matches!(fraction[count], b'e' | b'E')
}

/// Any other value, and its length in bytes. Apart from the loop over components, to keep that small.
#[inline(never)]
fn uncommon(cursor: Cursor) -> Result<(f32, usize), Fault> {
    match cursor.window().and_then(short) {
        Some(parsed) => Ok(parsed),
        None => value::parse(cursor),
    }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Reason;
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
        for text in ["3.4028236e38", "1e39", "-1e999999999999999999999", "NaN", "Infinity", "-Infinity"] {
            assert_eq!(parsed(text), Err(Fault::new(Reason::NonFinite, 0)), "{text}");
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
        fn next_to_the_middle_of_two_floats_is_rounded_once(bits in 0x3400_0000_u32..0x4110_0000, nudge in -9_i64..10, places in 16_usize..26) {
            let middle = f64::from(f32::from_bits(bits)).to_bits() + (1 << 28);
            assert_exact(&format!("{:.places$}", f64::from_bits(middle.wrapping_add_signed(nudge))));
            assert_exact(&format!("-{:.places$}", f64::from_bits(middle)));
        }

        #[test]
        fn plain_decimals_are_rounded_once(text in "-?[0-9]\\.[0-9]{1,26}") {
            let expected: f32 = text.parse().unwrap();
            prop_assert_eq!(parsed(&text).map(f32::to_bits), Ok(expected.to_bits()));
        }
    }
}
