//! Embeddings as JSON text to what PostgreSQL sends of a vector (pgvector's `vector_send` in its `src/vector.c`): int16
//! dimensions, int16 zero, then the float32 components, the highest byte first.

/// Appends the components of `text`, an object with the keys 0 to n-1 in any order or an array.
///
/// Each is the float32 nearest to its decimal text, as `str::parse` rounds. False where the text is no embedding.
pub fn read(text: &[u8], row: &mut Vec<f32>, bytes: &mut Vec<u8>) -> bool {
    row.clear();
    if components(text, row).is_none() || row.is_empty() || row.iter().any(|value| !value.is_finite()) {
        return false;
    }
    let Ok(dimensions) = u16::try_from(row.len()) else { return false };
    bytes.extend_from_slice(&dimensions.to_be_bytes());
    bytes.extend_from_slice(&[0, 0]);
    for value in row.iter() {
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    true
}

fn components(text: &[u8], row: &mut Vec<f32>) -> Option<()> {
    let mut at = skip(text, 0);
    let keyed = match text.get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let close = if keyed { b'}' } else { b']' };
    loop {
        at = skip(text, at + 1);
        let mut place = row.len();
        if keyed {
            (place, at) = key(text, at)?;
        }
        let (value, end) = number(text, at)?;
        put(row, place, value)?;
        at = skip(text, end);
        match text.get(at)? {
            b',' => {}
            &byte if byte == close => break,
            _ => return None,
        }
    }
    (skip(text, at + 1) == text.len()).then_some(())
}

/// Places a component by its key; what no key has named yet is NaN, which no JSON text can say.
fn put(row: &mut Vec<f32>, place: usize, value: f32) -> Option<()> {
    if place == row.len() {
        row.push(value);
        return Some(());
    }
    if place > row.len() {
        if place > usize::from(u16::MAX) {
            return None;
        }
        row.resize(place + 1, f32::NAN);
    }
    if !row[place].is_nan() {
        return None;
    }
    row[place] = value;
    Some(())
}

fn key(text: &[u8], at: usize) -> Option<(usize, usize)> {
    if *text.get(at)? != b'"' {
        return None;
    }
    let mut end = at + 1;
    let mut place = 0_usize;
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        place = place.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
        end += 1;
    }
    if end == at + 1 || (text[at + 1] == b'0' && end > at + 2) || *text.get(end)? != b'"' {
        return None;
    }
    let colon = skip(text, end + 1);
    (*text.get(colon)? == b':').then(|| (place, skip(text, colon + 1)))
}

fn number(text: &[u8], at: usize) -> Option<(f32, usize)> {
    if !matches!(text.get(at)?, b'-' | b'0'..=b'9') {
        return None;
    }
    let length =
        text[at..].iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))?;
    let digits = std::str::from_utf8(&text[at..at + length]).ok()?;
    Some((digits.parse().ok()?, at + length))
}

fn skip(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

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
