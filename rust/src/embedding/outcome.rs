//! What became of one row: a [`Reason`] with the place it was found at.

/// Why a row holds no embedding, or that it does. The discriminant is the code that Arrow columns carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The row is a whole, valid embedding.
    Ok = 0,
    /// SQL NULL.
    Null = 1,
    /// Not JSON, or JSON that is neither an object nor an array.
    NotJson = 2,
    /// A key below the highest one is absent.
    MissingKey = 3,
    /// A key is there twice.
    DuplicateKey = 4,
    /// A key is not one of 0 to dimensions - 1.
    KeyOutOfRange = 5,
    /// A contiguous vector, but of another length.
    WrongDimension = 6,
    /// A value is a string, null, a boolean, an object or an array.
    NotANumber = 7,
    /// A value is NaN, infinite or rounds to infinity in float32.
    NonFinite = 8,
    /// Something other than white space follows the closing bracket.
    TrailingBytes = 9,
    /// The text ends inside the document.
    Truncated = 10,
    /// The packed form does not end with a whole component.
    PartialComponent = 11,
}

impl Reason {
    /// The names of the codes: `NAMES[reason as usize]`.
    pub const NAMES: [&str; 12] = [
        "ok",
        "null",
        "not_json",
        "missing_key",
        "duplicate_key",
        "key_out_of_range",
        "wrong_dimension",
        "not_a_number",
        "non_finite",
        "trailing_bytes",
        "truncated",
        "partial_component",
    ];
}

/// The first problem of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of problem, never `Ok` or `Null`.
    pub reason: Reason,
    /// Bytes from the start of the value to the problem.
    pub offset: usize,
    /// The dimension, the key or the length that was found, see [`crate::embedding`]; 0 where neither applies.
    pub found: u32,
}

impl Fault {
    /// A problem that no number describes.
    #[must_use]
    pub fn new(reason: Reason, offset: usize) -> Self {
        Self { reason, offset, found: 0 }
    }

    /// A problem with a key, a dimension or a length. One beyond 32 bits is reported as `u32::MAX`.
    #[must_use]
    pub fn with_found(reason: Reason, offset: usize, found: usize) -> Self {
        Self { reason, offset, found: u32::try_from(found).unwrap_or(u32::MAX) }
    }
}
