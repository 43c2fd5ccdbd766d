//! A second reader of embeddings and JSON, for verification: plain code that shares nothing with the fast path.
//!
//! What [`crate::embedding`] and [`crate::wire`] got wrong must not be wrong here in the same way, so numbers are
//! read by the standard library and nothing is imported from there. A value that cannot be read is a null.

pub mod json;
pub mod vector;

use arrow_array::BinaryArray;
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};

use crate::column::TextColumn;
use crate::error::Error;

/// Turns each value of a column into bytes, by a reader that appends to its second argument and says whether it could.
///
/// # Errors
/// [`Error::TooMuch`] if the result exceeds the 32-bit offsets of a binary column.
pub fn each(
    column: &TextColumn,
    mut read: impl FnMut(&[u8], &mut Vec<u8>) -> bool,
) -> Result<BinaryArray, Error> {
    let mut bytes = Vec::new();
    let mut lengths = Vec::with_capacity(column.len());
    let mut valid = Vec::with_capacity(column.len());
    for value in column.rows() {
        let start = bytes.len();
        let whole = value.is_some_and(|value| read(value, &mut bytes));
        if !whole {
            bytes.truncate(start);
        }
        if i32::try_from(bytes.len()).is_err() {
            return Err(Error::TooMuch);
        }
        lengths.push(bytes.len() - start);
        valid.push(whole);
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(BinaryArray::try_new(offsets, Buffer::from_vec(bytes), Some(NullBuffer::from(valid)))?)
}
