//! Arrow columns that come in. They are looked at where they lie, nothing is copied.

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, Float32Array, GenericBinaryArray, GenericStringArray,
    LargeBinaryArray, OffsetSizeTrait,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::embedding::MAX_DIMENSIONS;
use crate::error::Error;

/// A column of text or bytes.
pub enum TextColumn {
    /// 32-bit offsets.
    Small(BinaryArray),
    /// 64-bit offsets.
    Large(LargeBinaryArray),
    /// Views.
    View(BinaryViewArray),
}

impl TryFrom<ArrayRef> for TextColumn {
    type Error = Error;

    /// Text is taken as bytes, because nothing has checked that what Python passes is UTF-8.
    fn try_from(array: ArrayRef) -> Result<Self, Error> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Small(bytes_of(array.as_string::<i32>())?),
            DataType::LargeUtf8 => Self::Large(bytes_of(array.as_string::<i64>())?),
            DataType::Utf8View => Self::View(array.as_string_view().clone().to_binary_view()),
            DataType::Binary => Self::Small(array.as_binary().clone()),
            DataType::LargeBinary => Self::Large(array.as_binary().clone()),
            other => return Err(Error::NotText(other.clone())),
        })
    }
}

impl TextColumn {
    /// The number of rows, nulls included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.array().len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of null rows.
    #[must_use]
    pub fn null_count(&self) -> usize {
        self.array().null_count()
    }

    /// The bytes of each row, `None` for a null.
    pub fn rows(&self) -> impl Iterator<Item = Option<&[u8]>> {
        (0..self.len()).map(|row| self.get(row))
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Small(array) => array,
            Self::Large(array) => array,
            Self::View(array) => array,
        }
    }

    /// The bytes of one row, `None` for a null.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        self.array().is_valid(row).then(|| match self {
            Self::Small(array) => array.value(row),
            Self::Large(array) => array.value(row),
            Self::View(array) => array.value(row),
        })
    }
}

fn bytes_of<O: OffsetSizeTrait>(text: &GenericStringArray<O>) -> Result<GenericBinaryArray<O>, Error> {
    let (offsets, values, nulls) = text.clone().into_parts();
    Ok(GenericBinaryArray::try_new(offsets, values, nulls)?)
}

/// A column of vectors, all of one dimension.
pub struct VectorColumn {
    /// The dimension, 1 to 16,000.
    pub dimensions: u16,
    /// All components, those of null rows included.
    pub components: Float32Array,
    /// Which rows are not null.
    pub valid: NullBuffer,
}

impl TryFrom<ArrayRef> for VectorColumn {
    type Error = Error;

    fn try_from(array: ArrayRef) -> Result<Self, Error> {
        let size = match array.data_type() {
            DataType::FixedSizeList(field, size) if field.data_type() == &DataType::Float32 => *size,
            other => return Err(Error::NotVectors(other.clone())),
        };
        let dimensions = check_dimensions(size.into())?;
        let rows = array.as_fixed_size_list();
        let valid = rows.nulls().cloned().unwrap_or_else(|| NullBuffer::new_valid(rows.len()));
        let components = rows.values().as_primitive::<Float32Type>().clone();
        refuse_null_components(&components, &valid, usize::from(dimensions))?;
        Ok(Self { dimensions, components, valid })
    }
}

fn refuse_null_components(
    components: &Float32Array,
    valid: &NullBuffer,
    dimensions: usize,
) -> Result<(), Error> {
    let Some(present) = components.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(());
    };
    let first = (0..present.len()).find(|&at| present.is_null(at) && valid.is_valid(at / dimensions));
    match first {
        Some(at) => Err(Error::NullComponent { row: at / dimensions, index: at % dimensions }),
        None => Ok(()),
    }
}

/// A number of dimensions that a vector column can have.
///
/// # Errors
/// [`Error::Dimensions`].
pub fn check_dimensions(dimensions: i64) -> Result<u16, Error> {
    match u16::try_from(dimensions) {
        Ok(valid @ 1..) if usize::from(valid) <= MAX_DIMENSIONS => Ok(valid),
        _ => Err(Error::Dimensions(dimensions)),
    }
}
