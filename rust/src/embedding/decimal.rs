//! A decimal number to the nearest float32, ties to even.
//!
//! Going through float64 rounds twice: once to 53 bits, then to 24. The second rounding is wrong only when
//! the float64 lies so near the middle between two float32 that its own error may have crossed it. So the
//! quick way is taken when it is provably right, and `str::parse`, which is exact, does the rest. A float32
//! that was widened and printed in its shortest float64 form (what most writers store) is far from any
//! middle and always takes the quick way.

/// 10^-40 to 10^22, each rounded to the nearest float64.
const POWERS: [f64; 63] = [
    1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26,
    1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11,
    1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
const LOWEST_POWER: i64 = -40;

/// The bits of a float64 that its nearest float32 cannot hold, and their value half-way between two of them.
const DROPPED_BITS: u64 = (1 << 29) - 1;
const MIDDLE: u64 = 1 << 28;

/// Three roundings (the significand, the power, their product) move the float64 by less than 4 units in its
/// last place; twice that is kept clear of the middle.
const MARGIN: u64 = 8;

/// Digits that are left out after a significand of at least 2^32 are worth less than 2^21 such units.
const WIDE_MARGIN: u64 = 1 << 22;

/// `significand` x 10^`exponent` rounded once to float32, or `None` where that takes the exact parser.
#[inline]
pub fn nearest(negative: bool, significand: u64, exponent: i64) -> Option<f32> {
    let sign = u32::from(negative) << 31;
    if significand == 0 {
        return Some(f32::from_bits(sign));
    }
    let power = POWERS.get(usize::try_from(exponent.checked_sub(LOWEST_POWER)?).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "the first of the three roundings MARGIN allows for")]
    let wide = i64::try_from(significand).ok()? as f64 * power;
    let near_middle = (wide.to_bits() & DROPPED_BITS).wrapping_sub(MIDDLE - MARGIN) <= 2 * MARGIN;
    // Below its normal range float32 drops more bits than the mask covers.
    if near_middle || wide < f64::from(f32::MIN_POSITIVE) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "this is the rounding to float32")]
    let narrow = wide as f32;
    Some(f32::from_bits(narrow.to_bits() | sign))
}

/// `significand` x 10^-16, to which less than one more unit of that last place is added, rounded once to
/// float32. `None` where that takes the exact parser. `significand` is less than 10^17.
#[inline]
pub fn nearest_to_16_places(negative: bool, significand: u64) -> Option<f32> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "MARGIN allows for it")]
    let wide = significand as i64 as f64 * 1e-16;
    let near_middle = (wide.to_bits() & DROPPED_BITS).wrapping_sub(MIDDLE - WIDE_MARGIN) <= 2 * WIDE_MARGIN;
    if near_middle || significand < 1 << 32 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "this is the rounding to float32")]
    let narrow = wide as f32;
    Some(f32::from_bits(narrow.to_bits() | u32::from(negative) << 31))
}

/// The nearest float32 of any JSON number, however long. Infinite beyond float32's range.
///
/// # Panics
/// Never for a JSON number: all of them are valid for `str::parse`.
#[cold]
pub fn exact(number: &[u8]) -> f32 {
    str::from_utf8(number).ok().and_then(|text| text.parse().ok()).unwrap_or(f32::NAN)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very float is asked for")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_middle_between_two_floats_goes_to_the_exact_parser() {
        // 2^24 + 1 lies exactly between two float32.
        assert_eq!(nearest(false, 16_777_217, 0), None);
        assert_eq!(exact(b"16777217"), 16_777_216.0);
        assert_eq!(exact(b"16777217.0000000000000000000000000000000001"), 16_777_218.0);
    }

    #[test]
    fn zero_keeps_its_sign() {
        assert_eq!(nearest(true, 0, -3).map(f32::to_bits), Some((-0.0_f32).to_bits()));
        assert_eq!(nearest(false, 0, 999).map(f32::to_bits), Some(0));
    }

    #[test]
    fn subnormals_and_far_powers_go_to_the_exact_parser() {
        assert_eq!(nearest(false, 1, -40), None);
        assert_eq!(nearest(false, 1, -41), None);
        assert_eq!(nearest(false, 1, 23), None);
        assert_eq!(exact(b"1e-40").to_bits(), 71_362);
    }

    #[test]
    fn beyond_the_largest_float_is_infinite() {
        assert_eq!(nearest(false, 34_028_235, 31), None);
        assert_eq!(nearest(true, 1_000_000_000_000_000_000, 22), Some(f32::NEG_INFINITY));
        assert_eq!(exact(b"3.4028235e38"), f32::MAX);
        assert_eq!(exact(b"3.40282357e38"), f32::INFINITY);
    }

    proptest! {
        #[test]
        fn every_quick_answer_is_the_exact_one(significand in any::<u64>(), digits in 0_u32..20, exponent in -45_i64..25) {
            let significand = significand / 10_u64.pow(digits);
            let quick = nearest(false, significand, exponent);
            prop_assume!(quick.is_some());
            let expected = exact(format!("{significand}e{exponent}").as_bytes());
            prop_assert_eq!(quick.map(f32::to_bits), Some(expected.to_bits()));
        }

        #[test]
        fn next_to_a_middle_is_exact(bits in 0x0080_0000_u32..0x5000_0000, nudge in -40_i64..40) {
            // A decimal of 17 digits within a few float64 units of the middle above a float32.
            let middle = f64::from(f32::from_bits(bits)).to_bits() + MIDDLE;
            let text = format!("{:.16e}", f64::from_bits(middle.wrapping_add_signed(nudge)));
            let (digits, exponent) = text.split_once('e').unwrap();
            let significand = digits.replace('.', "").parse().unwrap();
            let exponent = exponent.parse::<i64>().unwrap() - 16;
            let quick = nearest(false, significand, exponent).unwrap_or_else(|| exact(text.as_bytes()));
            prop_assert_eq!(quick.to_bits(), text.parse::<f32>().unwrap().to_bits());
        }
    }
}
