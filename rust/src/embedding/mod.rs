//! Embeddings kept as JSON text, to float32; those kept as packed float32 are read in [`packed`].
//!
//! Two forms are read, both strict JSON: the object form `{"0":0.1,"1":-2e-3}`, its keys "0" to "n-1" in
//! any order, and the array form `[0.1,-2e-3]`. A component is placed by its key, never by its position, and
//! is the float32 nearest to its decimal text (ties to even, rounded once).
//!
//! A row is an embedding or has exactly one [`Fault`]:
//!
//! | reason | when | offset of | found |
//! |---|---|---|---|
//! | `not_json` | malformed, empty, or neither object nor array | the byte that does not fit | |
//! | `truncated` | the text ends inside the document | the end of the text | |
//! | `not_a_number` | a value is JSON, but no number | the value | |
//! | `non_finite` | a value is NaN, infinite, or beyond float32 | the value | |
//! | `duplicate_key` | a key is there twice | its second opening quote | the key |
//! | `key_out_of_range` | a key is no canonical integer (found 0) or 65,536 and more | its opening quote | the key |
//! | | or the keys have a gap and reach beyond the expected dimension | the closing bracket | the highest key |
//! | `missing_key` | the keys have a gap | the closing bracket | the smallest missing key |
//! | `wrong_dimension` | 0 to m-1 are all there, but m is not what is expected, or no vector's | the closing bracket | m |
//! | `trailing_bytes` | anything but white space after the closing bracket | the first such byte | |
//!
//! The first fault in the order of the bytes wins. A key, a number and a literal are judged once they are
//! complete: when the text ends inside one, it is `truncated`. The dimension and the gaps are judged at the
//! closing bracket. Keys outside ASCII are not checked to be UTF-8, for they are refused in any case.

mod array;
mod cursor;
mod decimal;
mod digits;
mod keys;
mod number;
mod object;
mod outcome;
pub mod packed;
mod value;

use cursor::Cursor;
use keys::{Gap, Keys};
pub use outcome::{Fault, Reason};

/// The most dimensions of a `vector` column: `VECTOR_MAX_DIM` in pgvector's `src/vector.h`.
pub const MAX_DIMENSIONS: usize = 16_000;

/// What a row looks like at first glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// SQL NULL.
    Null = 0,
    /// It starts as an object.
    Object = 1,
    /// It starts as an array.
    Array = 2,
    /// Anything else, nothing included.
    Other = 3,
}

impl Kind {
    /// The names of the codes: `NAMES[kind as usize]`.
    pub const NAMES: [&str; 4] = ["null", "object", "array", "other"];

    /// The kind that the first byte after white space announces.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        match cursor.peek() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            _ => Self::Other,
        }
    }
}

/// Reads rows one after the other and keeps the memory that takes.
pub struct Parser {
    keys: Keys,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// A parser with nothing read.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Keys::new() }
    }

    /// Writes the row's components through `convert` into `row`, whose length is the dimension expected.
    ///
    /// # Errors
    /// The row's fault. `row` may then be written in part.
    pub fn read<T>(&mut self, text: &[u8], row: &mut [T], convert: impl Fn(f32) -> T) -> Result<(), Fault> {
        let expected = row.len();
        let put = |index, value| {
            if let Some(slot) = row.get_mut(index) {
                *slot = convert(value);
            }
        };
        self.document(text, Some(expected), put).map(|_| ())
    }

    /// The dimension of a row of which nothing is known: 1 to `MAX_DIMENSIONS`.
    ///
    /// # Errors
    /// The row's fault.
    pub fn measure(&mut self, text: &[u8]) -> Result<usize, Fault> {
        self.document(text, None, |_, _| ())
    }

    #[inline]
    fn document(
        &mut self,
        text: &[u8],
        expected: Option<usize>,
        put: impl FnMut(usize, f32),
    ) -> Result<usize, Fault> {
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        let extent;
        if cursor.take(b'{') {
            (extent, cursor) = object::parse(cursor, &mut self.keys, put)?;
        } else if cursor.take(b'[') {
            let (count, after) = array::parse(cursor, put)?;
            (extent, cursor) = (Ok(count), after);
        } else {
            return Err(Fault::new(Reason::NotJson, cursor.offset()));
        }
        let dimension = judge(extent, expected, cursor.offset())?;
        cursor.advance(1);
        cursor.skip_space();
        match cursor.peek() {
            None => Ok(dimension),
            Some(_) => Err(Fault::new(Reason::TrailingBytes, cursor.offset())),
        }
    }
}

fn judge(extent: Result<usize, Gap>, expected: Option<usize>, closing: usize) -> Result<usize, Fault> {
    let (reason, found) = match (extent, expected) {
        (Ok(found), Some(expected)) if found == expected => return Ok(found),
        (Ok(found @ 1..=MAX_DIMENSIONS), None) => return Ok(found),
        (Ok(found), _) => (Reason::WrongDimension, found),
        (Err(gap), Some(expected)) if gap.highest >= expected => (Reason::KeyOutOfRange, gap.highest),
        (Err(gap), _) => (Reason::MissingKey, gap.missing),
    };
    Err(Fault::with_found(reason, closing, found))
}

#[cfg(test)]
mod tests;
