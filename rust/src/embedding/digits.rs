//! Decimal digits, eight at a time in one 64-bit word (SWAR).
//!
//! A word holds the text's bytes in their order, the first one lowest.

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// 10^0 to 10^8.
pub const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many of the bytes from the first on are digits, and the number they spell.
#[inline(always)]
pub fn leading(text: [u8; 8]) -> (usize, u64) {
    let count = count(text);
    // Two shifts, because shifting all 64 bits out at once is not defined. Zeros move in before the digits.
    let values = (u64::from_le_bytes(text) ^ ZEROS) << (4 * (8 - count)) << (4 * (8 - count));
    (count, eight(values))
}

/// How many of the bytes from the first on are digits.
#[inline(always)]
pub fn count(text: [u8; 8]) -> usize {
    others(u64::from_le_bytes(text) ^ ZEROS).trailing_zeros() as usize / 8
}

/// The number that sixteen digits spell, `None` if they are not all digits.
#[inline(always)]
pub fn sixteen(text: &[u8; 16]) -> Option<u64> {
    let [high, low] = [text.first_chunk()?, text.last_chunk()?].map(|half| u64::from_le_bytes(*half) ^ ZEROS);
    if others(high) | others(low) != 0 {
        return None;
    }
    Some(eight(high) * TENS[8] + eight(low))
}

/// The high bit of each byte whose value is no digit's. Of bytes after the first such, it means nothing.
#[inline(always)]
fn others(values: u64) -> u64 {
    // Adding 0x76 lifts 10 and more to the high bit. A carry can only leave a byte that is no digit itself.
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH_BITS
}

/// The number that eight digit values spell, the first one (the lowest byte) being the most significant.
#[inline(always)]
fn eight(values: u64) -> u64 {
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let outer = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let inner = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    outer.wrapping_add(inner) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_are_their_number(number in 0_u64..100_000_000) {
            prop_assert_eq!(leading(format!("{number:08}").into_bytes().try_into().unwrap()), (8, number));
        }

        #[test]
        fn digits_end_at_the_first_other_byte(digits in "[0-9]{0,7}", rest in any::<[u8; 8]>(), other in any::<u8>()) {
            prop_assume!(!other.is_ascii_digit());
            let mut bytes = rest;
            bytes[..digits.len()].copy_from_slice(digits.as_bytes());
            bytes[digits.len()] = other;
            let number = if digits.is_empty() { 0 } else { digits.parse().unwrap() };
            prop_assert_eq!(leading(bytes), (digits.len(), number));
            prop_assert_eq!(count(bytes), digits.len());
        }

        #[test]
        fn sixteen_digits_are_their_number(number in 0_u64..10_000_000_000_000_000, at in 0_usize..16, other in any::<u8>()) {
            prop_assume!(!other.is_ascii_digit());
            let mut text: [u8; 16] = format!("{number:016}").into_bytes().try_into().unwrap();
            prop_assert_eq!(sixteen(&text), Some(number));
            text[at] = other;
            prop_assert_eq!(sixteen(&text), None);
        }
    }
}
