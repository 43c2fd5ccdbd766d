//! Decimal digits, eight at a time in one 64-bit word (SWAR).

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The value of each byte as a digit, and how many bytes from the first on are digits (0 to 8).
///
/// `word` is the text's bytes, little-endian: the first character is the lowest byte. Bytes of the answer
/// past the count hold nothing of use.
#[inline]
pub fn leading_digits(word: u64) -> (u64, u32) {
    let values = word ^ ZEROS;
    // Adding 0x76 lifts 10 and more to the high bit. A carry can only leave a byte that is no digit itself,
    // so it never reaches the first such byte or one before it.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH_BITS;
    (values, others.trailing_zeros() / 8)
}

/// The number that eight digit values spell, the first one (the lowest byte) being the most significant.
#[inline]
pub fn eight(values: u64) -> u64 {
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let outer = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let inner = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    outer.wrapping_add(inner) >> 32
}

/// The number that the first `count` (0 to 7) digit values spell.
#[inline]
pub fn up_to_seven(values: u64, count: u32) -> u64 {
    // Two shifts, because shifting by 64 at once is not defined.
    eight((values << 8) << (56 - 8 * count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> u64 {
        u64::from_le_bytes(text.as_bytes().try_into().unwrap())
    }

    proptest! {
        #[test]
        fn eight_digits_are_their_number(number in 0_u64..100_000_000) {
            let (values, count) = leading_digits(word(&format!("{number:08}")));
            prop_assert_eq!(count, 8);
            prop_assert_eq!(eight(values), number);
        }

        #[test]
        fn digits_end_at_the_first_other_byte(digits in "[0-9]{0,7}", rest in any::<[u8; 8]>(), other in any::<u8>()) {
            prop_assume!(!other.is_ascii_digit());
            let mut bytes = rest;
            bytes[..digits.len()].copy_from_slice(digits.as_bytes());
            bytes[digits.len()] = other;
            let (values, count) = leading_digits(u64::from_le_bytes(bytes));
            prop_assert_eq!(count as usize, digits.len());
            let expected = if digits.is_empty() { 0 } else { digits.parse::<u64>().unwrap() };
            prop_assert_eq!(up_to_seven(values, count), expected);
        }
    }
}
