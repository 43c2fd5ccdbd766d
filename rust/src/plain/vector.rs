//! Embeddings as JSON text to what a server sends of a vector (pgvector's `vector_send` in its `src/vector.c`): int16
//! dimensions, int16 zero, then the float32 components, the highest byte first.

/// Appends the components of `text`, an object with the keys 0 to n-1 in any order or an array.
///
/// Each is the float32 nearest to its decimal text, rounded once. False where the text is no embedding.
pub fn read(text: &[u8], row: &mut Vec<f32>, bytes: &mut Vec<u8>) -> bool {
    row.clear();
    let finite = |row: &[f32]| row.iter().fold(true, |all, value| all & value.is_finite());
    if components(text, row).is_none() || row.is_empty() || !finite(row) {
        return false;
    }
    let Ok(dimensions) = u16::try_from(row.len()) else { return false };
    bytes.extend_from_slice(&dimensions.to_be_bytes());
    bytes.extend_from_slice(&[0, 0]);
    let start = bytes.len();
    bytes.resize(start + 4 * row.len(), 0);
    for (word, value) in bytes[start..].as_chunks_mut().0.iter_mut().zip(row.iter()) {
        *word = value.to_be_bytes();
    }
    true
}

fn components(text: &[u8], row: &mut Vec<f32>) -> Option<()> {
    let mut at = skip(text, 0);
    let (keyed, close) = match text.get(at)? {
        b'{' => (true, b'}'),
        b'[' => (false, b']'),
        _ => return None,
    };
    loop {
        at = skip(text, at + 1);
        let mut place = row.len();
        if keyed {
            (place, at) = key(text, at)?;
        }
        let (value, end) = number(text, at)?;
        put(row, place, value)?;
        at = skip(text, end);
        match *text.get(at)? {
            b',' => {}
            byte if byte == close => break,
            _ => return None,
        }
    }
    (skip(text, at + 1) == text.len()).then_some(())
}

fn skip(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Places a component by its key; what no key has named yet is NaN, which no JSON text can say.
fn put(row: &mut Vec<f32>, place: usize, value: f32) -> Option<()> {
    if place == row.len() {
        row.push(value);
        return Some(());
    }
    if place > row.len() {
        row.resize(place + 1, f32::NAN);
    }
    if !row[place].is_nan() {
        return None;
    }
    row[place] = value;
    Some(())
}

/// The key that starts at `at`, and where its value starts.
fn key(text: &[u8], at: usize) -> Option<(usize, usize)> {
    if *text.get(at)? != b'"' {
        return None;
    }
    let mut place = 0_usize;
    let mut end = at + 1;
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        place = 10 * place + usize::from(digit - b'0');
        end += 1;
        if place > usize::from(u16::MAX) {
            return None;
        }
    }
    if end == at + 1 || (text[at + 1] == b'0' && end > at + 2) || *text.get(end)? != b'"' {
        return None;
    }
    let colon = skip(text, end + 1);
    (*text.get(colon)? == b':').then(|| (place, skip(text, colon + 1)))
}

/// The number that starts at `at`, and where it ends.
///
/// The digits make a whole number, which is divided by a power of ten in float64. Both steps round, by half a unit each
/// in the last place of a float64, so the quotient tells the nearest float32 unless it lies within a few such units of
/// the middle of two. Those, and all other forms, are read by the standard library.
fn number(text: &[u8], at: usize) -> Option<(f32, usize)> {
    let negative = *text.get(at)? == b'-';
    let start = at + usize::from(negative);
    let (whole, point) = few_digits(text, start, 0);
    if point == start {
        return None;
    }
    let (significand, mut end) = match text.get(point) {
        Some(b'.') => digits(text, point + 1, whole),
        _ => (whole, point),
    };
    let places = end.saturating_sub(point + 1);
    // A nought before the point is no digit of the whole number.
    let figures = places + if point - start == 1 && whole == 0 { 0 } else { point - start };
    let plain = figures <= MOST_DIGITS && !matches!(text.get(end), Some(b'e' | b'E'));
    if plain {
        #[expect(clippy::cast_precision_loss, reason = "weighed above")]
        let quotient = significand as f64 / TENS[places];
        if let Some(value) = nearest(quotient) {
            return Some((if negative { -value } else { value }, end));
        }
    }
    while matches!(text.get(end), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
        end += 1;
    }
    let word = std::str::from_utf8(&text[at..end]).ok()?;
    Some((word.parse().ok()?, end))
}

/// As many as surely fit a u64.
const MOST_DIGITS: usize = 19;
const TENS: [f64; MOST_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
];

/// The float32 nearest to what `quotient` is a few float64 units away from; `None` where that cannot be told.
fn nearest(quotient: f64) -> Option<f32> {
    /// Bits of a float64's fraction that a float32's lacks: 52 - 23.
    const LOST: u32 = 29;
    let lost = quotient.to_bits() & ((1 << LOST) - 1);
    let certain = lost.abs_diff(1 << (LOST - 1)) > 8 && quotient >= f64::from(f32::MIN_POSITIVE);
    #[expect(clippy::cast_possible_truncation, reason = "it rounds to the nearest")]
    let value = quotient as f32;
    (certain || quotient == 0.0).then_some(value)
}

/// Reads on from `at` as many digits as there are, behind those that made `number`, and says where they end.
fn digits(text: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let Some(eight) = eight_digits(u64::from_le_bytes(*word)) else { break };
        number = number.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    few_digits(text, at, number)
}

/// Does the same one by one.
fn few_digits(text: &[u8], mut at: usize, mut number: u64) -> (u64, usize) {
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    (number, at)
}

/// The number that eight bytes write, the first in the lowest: pairs of digits, of pairs, of fours.
fn eight_digits(word: u64) -> Option<u64> {
    const ONES: u64 = u64::MAX / 255;
    let values = word ^ (ONES * 0x30);
    // A byte above 9 has a bit of its upper half set, or gets one by adding 6.
    if (values | (values.wrapping_add(ONES * 6))) & (ONES * 0xf0) != 0 {
        return None;
    }
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn floats(text: &str) -> Option<Vec<f32>> {
        let mut bytes = Vec::new();
        read(text.as_bytes(), &mut Vec::new(), &mut bytes).then(|| {
            assert_eq!(bytes[..4], [0, u8::try_from(bytes.len() / 4 - 1).unwrap(), 0, 0]);
            bytes[4..].chunks(4).map(|word| f32::from_be_bytes(word.try_into().unwrap())).collect()
        })
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(floats(r#"{"0":0.1,"1":-2e-3}"#), Some(vec![0.1, -0.002]));
        assert_eq!(floats(" [ 0.1 , -2E+3 ]\n"), Some(vec![0.1, -2000.0]));
    }

    #[test]
    fn a_component_is_placed_by_its_key() {
        assert_eq!(floats(r#"{"2":3,"0":1,"1":2}"#), Some(vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn eight_digits_are_a_number() {
        for text in ["00000000", "12345678", "99999999", "10000009"] {
            let word = u64::from_le_bytes(text.as_bytes().try_into().unwrap());
            assert_eq!(eight_digits(word), Some(text.parse().unwrap()));
        }
        for text in
            ["1234567.", "/0000000", ":0000000", "0000000:", "000\u{7f}0000", "00,00000", "0\u{e9}00000"]
        {
            assert_eq!(eight_digits(u64::from_le_bytes(text.as_bytes().try_into().unwrap())), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is_rounded_as_the_standard_library_rounds(text in "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,26})?([eE][+-]?[0-9]{1,2})?") {
            let expected: f32 = text.parse().unwrap();
            let (value, end) = number(format!("{text},").as_bytes(), 0).unwrap();
            prop_assert_eq!((value.to_bits(), end), (expected.to_bits(), text.len()));
        }

        #[test]
        fn the_middle_of_two_and_its_neighbours_are_rounded_right(bits in 0_u32..0x7f7f_ffff, off in -40_i64..40) {
            let (one, next) = (f64::from(f32::from_bits(bits)), f64::from(f32::from_bits(bits + 1)));
            let middle = f64::from_bits(((one + (next - one) / 2.0).to_bits().cast_signed() + off).cast_unsigned());
            for text in [format!("{middle}"), format!("{middle:.17}"), format!("{:.19}", middle % 1.0), format!("{middle:e}")] {
                let expected: f32 = text.parse().unwrap();
                prop_assert_eq!(number(text.as_bytes(), 0).unwrap().0.to_bits(), expected.to_bits(), "{}", text);
            }
        }
    }

    #[test]
    fn more_digits_than_a_u64_holds_are_a_number() {
        assert_eq!(floats("[18446744073709551616]"), Some(vec![18_446_744_073_709_551_616.0]));
        assert_eq!(floats("[184467440737095516160.5]"), Some(vec![184_467_440_737_095_516_160.0]));
        assert_eq!(floats("[0.0001234567890123456789]"), Some(vec![0.000_123_456_79]));
        assert_eq!(floats("[0.9999999999999999999]"), Some(vec![1.0]));
    }

    #[test]
    fn the_sign_of_zero_stays() {
        assert_eq!(floats("[-0.0]").unwrap()[0].to_bits(), 0x8000_0000);
        assert_eq!(floats("[0]").unwrap()[0].to_bits(), 0);
    }

    #[test]
    fn what_is_no_embedding_is_none() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "[1",
            "[1,]",
            "1",
            "[1] 2",
            "[NaN]",
            "[inf]",
            "[1e39]",
            "[\"1\"]",
            "[null]",
            r#"{"0":1,"0":1}"#,
            r#"{"1":1}"#,
            r#"{"00":1}"#,
            r#"{"a":1}"#,
            r#"{"0":1,"99999":2}"#,
            r#"{"":1}"#,
        ] {
            assert_eq!(floats(text), None, "{text}");
        }
    }
}
