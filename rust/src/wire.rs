//! float32 to the bytes of pgvector's `vector` type, as `vector_recv` in its `src/vector.c` reads them:
//! int16 dimensions, int16 zero, then the float32 components, everything big-endian.
//!
//! Both parts are whole 32-bit words, so a row is built in words that already have the network's byte order.

use arrow_array::{BinaryArray, Float32Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};

use crate::error::Error;

/// The first word of a vector.
#[must_use]
pub fn header(dimensions: u16) -> u32 {
    (u32::from(dimensions) << 16).to_be()
}

/// The word of one component.
#[inline]
#[must_use]
pub fn component(value: f32) -> u32 {
    value.to_bits().to_be()
}

/// Refuses what would overflow the 32-bit offsets of a binary column.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_size(rows: usize, dimensions: usize) -> Result<(), Error> {
    let bytes = rows.saturating_mul(4 * (dimensions + 1));
    if i32::try_from(bytes).is_err() {
        return Err(Error::TooLarge { rows, dimensions });
    }
    Ok(())
}

/// The binary column of vectors laid end to end in `words`, one for each row that is `valid`.
///
/// # Errors
/// Arrow's own, if the words are not those of the valid rows.
pub fn column(words: Vec<u32>, dimensions: usize, valid: &NullBuffer) -> Result<BinaryArray, Error> {
    let width = 4 * (dimensions + 1);
    let lengths = valid.iter().map(|valid| if valid { width } else { 0 });
    let nulls = (valid.null_count() > 0).then(|| valid.clone());
    Ok(BinaryArray::try_new(OffsetBuffer::from_lengths(lengths), Buffer::from_vec(words), nulls)?)
}

/// Encodes rows of `dimensions` components: `components` has those of all rows, the ones of rows that are not
/// `valid` being without meaning.
///
/// # Errors
/// [`Error::NotFinite`] for the first NaN or infinity, [`Error::TooLarge`].
pub fn encode(components: &Float32Array, valid: &NullBuffer, dimensions: u16) -> Result<BinaryArray, Error> {
    let width = usize::from(dimensions);
    let rows = valid.len() - valid.null_count();
    check_size(rows, width)?;
    let mut words = Vec::with_capacity(rows * (width + 1));
    for row in valid.valid_indices() {
        let values = &components.values()[row * width..][..width];
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { row, index, value: values[index] });
        }
        words.push(header(dimensions));
        words.extend(values.iter().copied().map(component));
    }
    column(words, width, valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;

    #[test]
    fn a_vector_is_what_vector_recv_reads() {
        let components = Float32Array::from(vec![1.0, -2.0, 0.5, -0.0]);
        let encoded = encode(&components, &NullBuffer::new_valid(2), 2).unwrap();
        assert_eq!(encoded.value(0), [0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]);
        assert_eq!(encoded.value(1), [0, 2, 0, 0, 0x3f, 0, 0, 0, 0x80, 0, 0, 0]);
        assert!(encoded.nulls().is_none());
    }

    #[test]
    fn the_header_takes_the_most_dimensions() {
        assert_eq!(header(16_000).to_ne_bytes(), [0x3e, 0x80, 0, 0]);
    }

    #[test]
    fn null_rows_stay_null_whatever_they_hold() {
        let components = Float32Array::from(vec![1.0, f32::NAN, 3.0]);
        let encoded = encode(&components, &NullBuffer::from(vec![true, false, true]), 1).unwrap();
        assert_eq!(encoded.len(), 3);
        assert!(encoded.is_null(1));
        assert_eq!(encoded.value(2), [0, 1, 0, 0, 0x40, 0x40, 0, 0]);
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let components = Float32Array::from(vec![1.0, 2.0, 3.0, f32::INFINITY]);
        let error = encode(&components, &NullBuffer::new_valid(2), 2).unwrap_err();
        assert_eq!(error.to_string(), "row 1: component 1 is inf, which a vector cannot hold");
    }

    #[test]
    fn two_gib_are_refused_before_anything_is_written() {
        check_size(349_000, 1536).unwrap();
        check_size(350_000, 1536).unwrap_err();
    }
}
