//! Arrow columns that come in. They are looked at where they lie, nothing is copied.

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, Float32Array, GenericBinaryArray, GenericStringArray,
    LargeBinaryArray, OffsetSizeTrait,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3_arrow::{PyArray, PyChunkedArray};

use crate::embedding::MAX_DIMENSIONS;
use crate::error::Error;

/// A column as Python hands it over: one array, or the chunks of a stream.
pub struct Column {
    data_type: DataType,
    chunks: Vec<ArrayRef>,
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Self {
            data_type: array.data_type().clone(),
            chunks: vec![array],
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Column {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.hasattr("__arrow_c_array__")? {
            let (array, _) = object.extract::<PyArray>()?.into_inner();
            return Ok(array.into());
        }
        if object.hasattr("__arrow_c_stream__")? {
            let (chunks, field) = object.extract::<PyChunkedArray>()?.into_inner();
            return Ok(Self {
                data_type: field.data_type().clone(),
                chunks,
            });
        }
        let kind = object.get_type().fully_qualified_name()?;
        Err(PyTypeError::new_err(format!(
            "expected an Arrow column (with __arrow_c_array__ or __arrow_c_stream__), got {kind}"
        )))
    }
}

/// A column of text or bytes.
pub struct TextColumn {
    chunks: Vec<TextChunk>,
}

enum TextChunk {
    Small(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
}

impl TryFrom<Column> for TextColumn {
    type Error = Error;

    fn try_from(column: Column) -> Result<Self, Error> {
        if !matches!(
            column.data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Binary
                | DataType::LargeBinary
        ) {
            return Err(Error::NotText(column.data_type));
        }
        let chunks = column
            .chunks
            .iter()
            .map(TextChunk::try_new)
            .collect::<Result<_, _>>()?;
        Ok(Self { chunks })
    }
}

impl TextColumn {
    /// The number of rows, nulls included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.array().len()).sum()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of null rows.
    #[must_use]
    pub fn null_count(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.array().null_count()).sum()
    }

    /// The bytes of each row, `None` for a null.
    pub fn rows(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.chunks
            .iter()
            .flat_map(|chunk| (0..chunk.array().len()).map(|row| chunk.get(row)))
    }
}

impl TextChunk {
    /// Text is taken as bytes, because nothing has checked that what Python passes is UTF-8.
    fn try_new(array: &ArrayRef) -> Result<Self, Error> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Small(bytes_of(array.as_string::<i32>())?),
            DataType::LargeUtf8 => Self::Large(bytes_of(array.as_string::<i64>())?),
            DataType::Utf8View => Self::View(array.as_string_view().clone().to_binary_view()),
            DataType::Binary => Self::Small(array.as_binary().clone()),
            DataType::LargeBinary => Self::Large(array.as_binary().clone()),
            other => return Err(Error::NotText(other.clone())),
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Small(array) => array,
            Self::Large(array) => array,
            Self::View(array) => array,
        }
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
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
    chunks: Vec<(Float32Array, NullBuffer)>,
}

impl TryFrom<Column> for VectorColumn {
    type Error = Error;

    fn try_from(column: Column) -> Result<Self, Error> {
        let size = match &column.data_type {
            DataType::FixedSizeList(field, size) if field.data_type() == &DataType::Float32 => *size,
            _ => return Err(Error::NotVectors(column.data_type)),
        };
        let dimensions = check_dimensions(size.into())?;
        let mut chunks = Vec::with_capacity(column.chunks.len());
        let mut before = 0;
        for chunk in &column.chunks {
            let rows = chunk.as_fixed_size_list();
            let valid = rows
                .nulls()
                .cloned()
                .unwrap_or_else(|| NullBuffer::new_valid(rows.len()));
            let components = rows.values().as_primitive::<Float32Type>();
            refuse_null_components(components, &valid, usize::from(dimensions), before)?;
            chunks.push((components.clone(), valid));
            before += rows.len();
        }
        Ok(Self { dimensions, chunks })
    }
}

impl VectorColumn {
    /// For each chunk all its components, those of null rows included, and which rows are not null.
    #[must_use]
    pub fn chunks(&self) -> &[(Float32Array, NullBuffer)] {
        &self.chunks
    }
}

fn refuse_null_components(
    components: &Float32Array,
    valid: &NullBuffer,
    dimensions: usize,
    before: usize,
) -> Result<(), Error> {
    let Some(present) = components.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(());
    };
    let first = (0..present.len()).find(|&at| present.is_null(at) && valid.is_valid(at / dimensions));
    match first {
        Some(at) => Err(Error::NullComponent {
            row: before + at / dimensions,
            index: at % dimensions,
        }),
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
