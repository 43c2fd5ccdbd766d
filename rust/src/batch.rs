//! All rows of a column at once: embeddings as text or packed to float32, to pgvector's wire form, or only counted.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, StructArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};

use crate::column::TextColumn;
use crate::embedding::{Fault, Kind, Parser, Reason, packed};
use crate::error::Error;
use crate::wire;

/// A column of embeddings and what became of each row.
pub struct Parsed {
    /// The dimension asked for, or that of the first embedding, or 0 if there was none.
    pub dimensions: u16,
    /// One entry a row, null where there is no embedding.
    pub values: ArrayRef,
    /// {reason: uint8, offset: uint64, found: uint32}, one entry a row.
    pub outcomes: StructArray,
    /// Rows that are embeddings.
    pub valid: usize,
    /// Rows that are SQL NULL.
    pub nulls: usize,
    /// The first row that is neither.
    pub first_invalid: Option<usize>,
}

/// Embeddings as `fixed_size_list<float32>`.
///
/// # Errors
/// Only Arrow's own.
pub fn to_float32(column: &TextColumn, dimensions: Option<u16>) -> Result<Parsed, Error> {
    let Some(dimensions) = dimensions.or_else(|| first_dimension(column)) else {
        return no_embedding(column, |valid| vectors(Vec::new(), 0, valid));
    };
    float32_of(column, dimensions, |parser, text, row| parser.read(text, row, |value| value))
}

/// Packed embeddings as `fixed_size_list<float32>`.
///
/// # Errors
/// Only Arrow's own.
pub fn packed_to_float32(column: &TextColumn, dimensions: u16) -> Result<Parsed, Error> {
    float32_of(column, dimensions, |_, bytes, row| packed::read(bytes, row, |value| value))
}

/// Embeddings as `binary` in pgvector's wire form, written straight from the text.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn to_wire(column: &TextColumn, dimensions: Option<u16>) -> Result<Parsed, Error> {
    let Some(dimensions) = dimensions.or_else(|| first_dimension(column)) else {
        return no_embedding(column, |valid| Ok(Arc::new(wire::column(Vec::new(), 0, valid)?)));
    };
    wire_of(column, dimensions, |parser, text, row| parser.read(text, row, wire::component))
}

/// Packed embeddings as `binary` in pgvector's wire form.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn packed_to_wire(column: &TextColumn, dimensions: u16) -> Result<Parsed, Error> {
    wire_of(column, dimensions, |_, bytes, row| packed::read(bytes, row, wire::component))
}

/// For each row {kind: uint8, dimensions: uint32, reason: uint8}, every row being judged by itself.
///
/// # Errors
/// Only Arrow's own.
pub fn sniff(column: &TextColumn) -> Result<StructArray, Error> {
    let rows = column.len();
    let mut parser = Parser::new();
    let mut kinds = Vec::with_capacity(rows);
    let mut dimensions = Vec::with_capacity(rows);
    let mut reasons = Vec::with_capacity(rows);
    for text in column.rows() {
        #[expect(clippy::cast_possible_truncation, reason = "16,000 at most")]
        let (kind, dimension, reason) = match text {
            None => (Kind::Null, 0, Reason::Null),
            Some(text) => match parser.measure(text) {
                Ok(dimension) => (Kind::of(text), dimension as u32, Reason::Ok),
                Err(fault) if fault.reason == Reason::WrongDimension => {
                    (Kind::of(text), fault.found, fault.reason)
                }
                Err(fault) => (Kind::of(text), 0, fault.reason),
            },
        };
        kinds.push(kind as u8);
        dimensions.push(dimension);
        reasons.push(reason as u8);
    }
    structs([
        ("kind", Arc::new(UInt8Array::from(kinds))),
        ("dimensions", Arc::new(UInt32Array::from(dimensions))),
        ("reason", Arc::new(UInt8Array::from(reasons))),
    ])
}

fn float32_of(
    column: &TextColumn,
    dimensions: u16,
    mut read: impl FnMut(&mut Parser, &[u8], &mut [f32]) -> Result<(), Fault>,
) -> Result<Parsed, Error> {
    let width = usize::from(dimensions);
    let mut values = vec![0.0; column.len() * width];
    let outcomes = Outcomes::of(column, |parser, row, value| {
        let row = &mut values[row * width..][..width];
        // What lies under a null must not depend on where the value went wrong.
        read(parser, value, row).inspect_err(|_| row.fill(0.0))
    });
    outcomes.with(dimensions, |valid| vectors(values, dimensions, valid))
}

fn wire_of(
    column: &TextColumn,
    dimensions: u16,
    mut read: impl FnMut(&mut Parser, &[u8], &mut [u32]) -> Result<(), Fault>,
) -> Result<Parsed, Error> {
    let width = usize::from(dimensions) + 1;
    let rows = column.len() - column.null_count();
    wire::check_size(rows, usize::from(dimensions))?;
    let mut words = vec![0; rows * width];
    let mut end = 0;
    let outcomes = Outcomes::of(column, |parser, _, value| {
        let row = &mut words[end..][..width];
        row[0] = wire::header(dimensions);
        read(parser, value, &mut row[1..])?;
        end += width;
        Ok(())
    });
    words.truncate(end);
    outcomes.with(dimensions, |valid| Ok(Arc::new(wire::column(words, usize::from(dimensions), valid)?)))
}

fn first_dimension(column: &TextColumn) -> Option<u16> {
    let mut parser = Parser::new();
    column.rows().flatten().find_map(|text| u16::try_from(parser.measure(text).ok()?).ok())
}

/// Judges every row by itself, none of them being an embedding of any dimension.
fn no_embedding(
    column: &TextColumn,
    values: impl FnOnce(&NullBuffer) -> Result<ArrayRef, Error>,
) -> Result<Parsed, Error> {
    Outcomes::of(column, |parser, _, text| parser.measure(text).map(|_| ())).with(0, values)
}

fn vectors(values: Vec<f32>, dimensions: u16, valid: &NullBuffer) -> Result<ArrayRef, Error> {
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Arc::new(Float32Array::from(values));
    let nulls = (valid.null_count() > 0).then(|| valid.clone());
    let array = FixedSizeListArray::try_new_with_length(item, dimensions.into(), values, nulls, valid.len())?;
    Ok(Arc::new(array))
}

fn structs<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<StructArray, Error> {
    let fields =
        columns.each_ref().map(|(name, column)| Field::new(*name, column.data_type().clone(), false));
    let columns = columns.map(|(_, column)| column);
    Ok(StructArray::try_new(fields.to_vec().into(), columns.to_vec(), None)?)
}

#[derive(Default)]
struct Outcomes {
    reasons: Vec<u8>,
    offsets: Vec<u64>,
    found: Vec<u32>,
}

impl Outcomes {
    /// Has `read` judge each row that is not null. It is told the row's number and its text.
    fn of(column: &TextColumn, mut read: impl FnMut(&mut Parser, usize, &[u8]) -> Result<(), Fault>) -> Self {
        let mut outcomes = Self::default();
        let mut parser = Parser::new();
        for (row, text) in column.rows().enumerate() {
            let outcome = match text {
                None => Err(Fault::new(Reason::Null, 0)),
                Some(text) => read(&mut parser, row, text),
            };
            let outcome = outcome.err().unwrap_or(Fault::new(Reason::Ok, 0));
            outcomes.reasons.push(outcome.reason as u8);
            outcomes.offsets.push(outcome.offset as u64);
            outcomes.found.push(outcome.found);
        }
        outcomes
    }

    fn with(
        self,
        dimensions: u16,
        values: impl FnOnce(&NullBuffer) -> Result<ArrayRef, Error>,
    ) -> Result<Parsed, Error> {
        let is = |reason: Reason| self.reasons.iter().map(move |&code| code == reason as u8);
        let valid = NullBuffer::from(is(Reason::Ok).collect::<Vec<_>>());
        let nulls = is(Reason::Null).map(usize::from).sum();
        let first_invalid = self.reasons.iter().position(|&reason| reason > Reason::Null as u8);
        let outcomes = structs([
            ("reason", Arc::new(UInt8Array::from(self.reasons))),
            ("offset", Arc::new(UInt64Array::from(self.offsets))),
            ("found", Arc::new(UInt32Array::from(self.found))),
        ])?;
        Ok(Parsed {
            dimensions,
            values: values(&valid)?,
            outcomes,
            valid: valid.len() - valid.null_count(),
            nulls,
            first_invalid,
        })
    }
}
