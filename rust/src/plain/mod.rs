//! A second reader of embeddings and JSON, for verification: plain code that shares nothing with the fast path.
//!
//! What [`crate::embedding`] and [`crate::wire`] got wrong must not be wrong here in the same way, so numbers are
//! read by the standard library and nothing is imported from there. A value that cannot be read is a null.

pub mod json;
pub mod rows;
pub mod vector;

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, StructArray, UInt8Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

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

/// Reads the rows of a dump, and of each those of its `fields` values that are wanted.
///
/// Two columns for each wanted place: the values' bytes, and what they are, see [`rows::Form`].
///
/// # Errors
/// [`Error::Row`] if the rows cannot be read, or one has another number of values; [`Error::TooMuch`] as for [`each`].
pub fn rows_of(bytes: &[u8], fields: usize, wanted: &[usize], backslash: bool) -> Result<StructArray, Error> {
    let mut values: Vec<Vec<u8>> = vec![Vec::new(); wanted.len()];
    let mut lengths: Vec<Vec<usize>> = vec![Vec::new(); wanted.len()];
    let mut forms: Vec<Vec<u8>> = vec![Vec::new(); wanted.len()];
    let mut reader = rows::Rows::new(bytes, backslash);
    while let Some(row) = reader.next_row()? {
        if row.len() != fields {
            return Err(reader.other_width(row.len(), fields));
        }
        for (number, place) in wanted.iter().enumerate() {
            let (form, value) = &row[*place];
            forms[number].push(*form as u8);
            lengths[number].push(value.len());
            values[number].extend(value);
            if i32::try_from(values[number].len()).is_err() {
                return Err(Error::TooMuch);
            }
        }
    }
    let mut columns: Vec<(Arc<Field>, ArrayRef)> = Vec::new();
    for (number, ((values, lengths), forms)) in values.into_iter().zip(lengths).zip(forms).enumerate() {
        let valid =
            NullBuffer::from(forms.iter().map(|form| *form != rows::Form::Null as u8).collect::<Vec<_>>());
        let array =
            BinaryArray::try_new(OffsetBuffer::from_lengths(lengths), Buffer::from_vec(values), Some(valid))?;
        columns
            .push((Arc::new(Field::new(format!("value {number}"), DataType::Binary, true)), Arc::new(array)));
        let forms = UInt8Array::from(forms);
        columns
            .push((Arc::new(Field::new(format!("form {number}"), DataType::UInt8, false)), Arc::new(forms)));
    }
    Ok(StructArray::from(columns))
}
