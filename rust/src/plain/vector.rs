//! Embeddings as JSON text to what PostgreSQL sends of a vector (pgvector's `vector_send` in its `src/vector.c`): int16
//! dimensions, int16 zero, then the float32 components, the highest byte first.

/// Appends the components of `text`, an object with the keys 0 to n-1 in any order or an array.
///
/// Each is the float32 nearest to its decimal text, as `str::parse` rounds. False where the text is no embedding.
pub fn read(text: &[u8], row: &mut Vec<f32>, bytes: &mut Vec<u8>) -> bool {
    row.clear();
    let Ok(text) = std::str::from_utf8(text) else { return false };
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

fn components(text: &str, row: &mut Vec<f32>) -> Option<()> {
    let text = text.trim_ascii();
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        for part in inner.split(',') {
            row.push(number(part.trim_ascii())?);
        }
        return Some(());
    }
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    for part in inner.split(',') {
        let (place, value) = member(part)?;
        put(row, place, number(value)?)?;
    }
    Some(())
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

fn member(part: &str) -> Option<(usize, &str)> {
    let part = part.trim_ascii_start().strip_prefix('"')?;
    let mut place = 0_usize;
    let mut end = 0;
    while let Some(digit @ b'0'..=b'9') = part.as_bytes().get(end) {
        place = place.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
        end += 1;
    }
    if end == 0 || (end > 1 && part.starts_with('0')) {
        return None;
    }
    let value = part.get(end..)?.strip_prefix('"')?.trim_ascii_start().strip_prefix(':')?;
    Some((place, value.trim_ascii()))
}

/// `str::parse` also takes a plus, a bare point and words; none of these starts as a JSON number does.
fn number(text: &str) -> Option<f32> {
    matches!(text.as_bytes().first()?, b'-' | b'0'..=b'9').then(|| text.parse().ok())?
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
