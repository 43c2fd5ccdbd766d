//! The packed form: the components as little-endian float32, one after the other, with no header. It is what a
//! VECTOR column holds in `MySQL` since 9.0 and in `MariaDB` since 11.7.

use super::{Fault, Reason};

/// The bytes of one component.
const WIDTH: usize = size_of::<f32>();

/// Writes the row's components through `convert` into `row`, whose length is the dimension expected.
///
/// # Errors
/// The row's fault: `partial_component`, `wrong_dimension` or `non_finite`. `row` may then be written.
pub fn read<T>(bytes: &[u8], row: &mut [T], convert: impl Fn(f32) -> T) -> Result<(), Fault> {
    let (components, rest) = bytes.as_chunks::<WIDTH>();
    if !rest.is_empty() {
        return Err(Fault::with_found(Reason::PartialComponent, WIDTH * components.len(), bytes.len()));
    }
    if components.len() != row.len() {
        return Err(Fault::with_found(Reason::WrongDimension, bytes.len(), components.len()));
    }
    // No early way out: the loop then runs on whole registers.
    let mut finite = true;
    for (slot, &component) in row.iter_mut().zip(components) {
        let value = f32::from_le_bytes(component);
        finite &= value.is_finite();
        *slot = convert(value);
    }
    if finite {
        return Ok(());
    }
    let first = components.iter().take_while(|&&component| f32::from_le_bytes(component).is_finite()).count();
    Err(Fault::new(Reason::NonFinite, WIDTH * first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(bytes: &[u8], dimensions: usize) -> Result<Vec<u32>, Fault> {
        let mut row = vec![0; dimensions];
        read(bytes, &mut row, f32::to_bits).map(|()| row)
    }

    fn packed(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn components_are_little_endian() {
        assert_eq!(bits(&[0, 0, 0x80, 0x3f, 1, 0, 0, 0x80], 2), Ok(vec![0x3f80_0000, 0x8000_0001]));
    }

    #[test]
    fn each_reason_with_its_place() {
        let values = packed(&[1.0, 2.0]);
        for (bytes, reason, offset, found) in [
            (&values[..7], Reason::PartialComponent, 4, 7),
            (&values[..3], Reason::PartialComponent, 0, 3),
            (&values[..4], Reason::WrongDimension, 4, 1),
            (&[], Reason::WrongDimension, 0, 0),
            (&packed(&[1.0, 2.0, 3.0]), Reason::WrongDimension, 12, 3),
            (&packed(&[1.0, f32::NAN]), Reason::NonFinite, 4, 0),
            (&packed(&[f32::NEG_INFINITY, f32::NAN]), Reason::NonFinite, 0, 0),
        ] {
            assert_eq!(bits(bytes, 2), Err(Fault { reason, offset, found }), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_finite_component_keeps_its_bits(words in prop::collection::vec(any::<u32>(), 1..80)) {
            let bytes: Vec<_> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let first = words.iter().position(|&word| !f32::from_bits(word).is_finite());
            let expected = match first {
                None => Ok(words.clone()),
                Some(index) => Err(Fault::new(Reason::NonFinite, 4 * index)),
            };
            prop_assert_eq!(bits(&bytes, words.len()), expected);
        }
    }
}
