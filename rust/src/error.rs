//! Faults of use: what the caller handed over cannot be worked on at all. What is wrong with a row's data is
//! never an error but that row's outcome.

use arrow_schema::{ArrowError, DataType};

use crate::embedding::MAX_DIMENSIONS;

/// Everything that the core's functions refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The column is not text or bytes.
    #[error("expected a column of string, large_string, string_view, binary or large_binary, got {0}")]
    NotText(DataType),
    /// The column is not one of vectors.
    #[error("expected a column of fixed_size_list<float32>, got {0}")]
    NotVectors(DataType),
    /// No vector column has so many dimensions.
    #[error("dimensions must be 1 to {MAX_DIMENSIONS}, got {0}")]
    Dimensions(i64),
    /// pgvector has no NaN and no infinity.
    #[error("row {row}: component {index} is {value}, which a vector cannot hold")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// The component, from 0.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// pgvector has no null inside a vector.
    #[error("row {row}: component {index} is null, which a vector cannot hold")]
    NullComponent {
        /// The row, from 0.
        row: usize,
        /// The component, from 0.
        index: usize,
    },
    /// Arrow's binary type counts its bytes in 32 bits.
    #[error(
        "{rows} vectors of {dimensions} dimensions exceed the 2 GiB of one binary column: pass fewer rows"
    )]
    TooLarge {
        /// Rows that are not null.
        rows: usize,
        /// Dimensions of each.
        dimensions: usize,
    },
    /// The same, for values of any length.
    #[error("the values exceed the 2 GiB of one binary column: pass fewer rows")]
    TooMuch,
    /// A row of a dump is not one.
    #[error("byte {place}: expected {expected}")]
    Row {
        /// The byte, from 0.
        place: usize,
        /// What was to be there.
        expected: String,
    },
    /// No value is written so.
    #[error("no form is called {0:?}")]
    UnknownForm(String),
    /// The column is not of a type that the form takes.
    #[error("a column of {found} cannot be written as {form}")]
    NotInForm {
        /// The form's name.
        form: &'static str,
        /// The column's type.
        found: DataType,
    },
    /// A value's bytes are not what its form takes.
    #[error("row {row}: the bytes are no {form}")]
    Malformed {
        /// The form's name.
        form: &'static str,
        /// The row, from 0.
        row: usize,
    },
    /// Arrow refused an array.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}
