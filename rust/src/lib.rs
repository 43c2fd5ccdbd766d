//! The compiled core of vecferry: embeddings kept as text or packed, to float32 Arrow columns and to pgvector's bytes.
//!
//! This file is the Python module and nothing else; what its functions take and return is written in
//! `python/vecferry/_core.pyi`. [`embedding`] knows neither Python nor Arrow.

pub mod batch;
pub mod capsule;
pub mod column;
pub mod copytext;
pub mod dump;
pub mod embedding;
pub mod error;
pub mod plain;
pub mod python;
pub mod wire;

use error::Error;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::NotText(_) | Error::NotVectors(_) | Error::NotInForm { .. } => {
                PyTypeError::new_err(error.to_string())
            }
            _ => PyValueError::new_err(error.to_string()),
        }
    }
}

#[pymodule(name = "_core")]
mod core {
    use std::sync::Arc;

    use arrow_array::{Array, ArrayRef, UInt8Array};
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    use crate::batch::{self, Parsed};
    use crate::capsule::{self, Exported};
    use crate::column::{TextColumn, VectorColumn, check_dimensions};
    use crate::copytext::{self, Form};
    use crate::embedding::{Kind, Reason};
    use crate::error::Error;
    use crate::plain;
    use crate::wire;

    struct Column(ArrayRef);

    impl<'py> FromPyObject<'_, 'py> for Column {
        type Error = PyErr;

        fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
            capsule::import(object).map(Self)
        }
    }

    #[pyclass(frozen, module = "vecferry._core")]
    struct ParsedEmbeddings(Parsed);

    #[pymethods]
    impl ParsedEmbeddings {
        #[getter]
        fn dimensions(&self) -> u16 {
            self.0.dimensions
        }

        #[getter]
        fn rows(&self) -> usize {
            self.0.outcomes.len()
        }

        #[getter]
        fn valid(&self) -> usize {
            self.0.valid
        }

        #[getter]
        fn nulls(&self) -> usize {
            self.0.nulls
        }

        #[getter]
        fn first_invalid(&self) -> Option<usize> {
            self.0.first_invalid
        }

        fn values(&self) -> Exported {
            self.0.values.clone().into()
        }

        fn outcomes(&self) -> Exported {
            let outcomes: ArrayRef = Arc::new(self.0.outcomes.clone());
            outcomes.into()
        }
    }

    #[pyfunction]
    #[pyo3(signature = (column, dimensions=None))]
    fn parse_embeddings(py: Python, column: Column, dimensions: Option<i64>) -> PyResult<ParsedEmbeddings> {
        parse(py, column, dimensions, batch::to_float32)
    }

    #[pyfunction]
    #[pyo3(signature = (column, dimensions=None))]
    fn embeddings_to_wire(py: Python, column: Column, dimensions: Option<i64>) -> PyResult<ParsedEmbeddings> {
        parse(py, column, dimensions, batch::to_wire)
    }

    #[pyfunction]
    fn packed_to_float32(py: Python, column: Column, dimensions: i64) -> PyResult<ParsedEmbeddings> {
        unpack(py, column, dimensions, batch::packed_to_float32)
    }

    #[pyfunction]
    fn packed_to_wire(py: Python, column: Column, dimensions: i64) -> PyResult<ParsedEmbeddings> {
        unpack(py, column, dimensions, batch::packed_to_wire)
    }

    fn unpack(
        py: Python,
        column: Column,
        dimensions: i64,
        to: impl Send + FnOnce(&TextColumn, u16) -> Result<Parsed, Error>,
    ) -> PyResult<ParsedEmbeddings> {
        let column = column.0.try_into()?;
        let dimensions = check_dimensions(dimensions)?;
        Ok(ParsedEmbeddings(py.detach(|| to(&column, dimensions))?))
    }

    fn parse(
        py: Python,
        column: Column,
        dimensions: Option<i64>,
        to: impl Send + FnOnce(&TextColumn, Option<u16>) -> Result<Parsed, Error>,
    ) -> PyResult<ParsedEmbeddings> {
        let column = column.0.try_into()?;
        let dimensions = dimensions.map(check_dimensions).transpose()?;
        Ok(ParsedEmbeddings(py.detach(|| to(&column, dimensions))?))
    }

    #[pyfunction]
    fn encode_vectors(py: Python, column: Column) -> PyResult<Exported> {
        let column = VectorColumn::try_from(column.0)?;
        let encoded: ArrayRef =
            Arc::new(py.detach(|| wire::encode(&column.components, &column.valid, column.dimensions))?);
        Ok(encoded.into())
    }

    #[pyfunction]
    fn sniff(py: Python, column: Column) -> PyResult<Exported> {
        let column = TextColumn::try_from(column.0)?;
        let census: ArrayRef = Arc::new(py.detach(|| batch::sniff(&column))?);
        Ok(census.into())
    }

    #[pyfunction]
    fn plain_vectors(py: Python, column: Column) -> PyResult<Exported> {
        let column = TextColumn::try_from(column.0)?;
        let mut row = Vec::new();
        let read: ArrayRef = Arc::new(
            py.detach(|| plain::each(&column, |text, bytes| plain::vector::read(text, &mut row, bytes)))?,
        );
        Ok(read.into())
    }

    #[pyfunction]
    fn plain_json(py: Python, column: Column) -> PyResult<Exported> {
        let column = TextColumn::try_from(column.0)?;
        let read: ArrayRef = Arc::new(py.detach(|| plain::each(&column, plain::json::read))?);
        Ok(read.into())
    }

    #[pyfunction]
    fn plain_rows(
        py: Python,
        data: &[u8],
        fields: usize,
        wanted: Vec<usize>,
        backslash: bool,
    ) -> PyResult<Exported> {
        if let Some(place) = wanted.iter().find(|place| **place >= fields) {
            return Err(PyValueError::new_err(format!("a row of {fields} values has none at {place}")));
        }
        let read: ArrayRef = Arc::new(py.detach(move || plain::rows_of(data, fields, &wanted, backslash))?);
        Ok(read.into())
    }

    #[pymodule_export]
    use crate::python::{
        DumpError, DumpFile, DumpPiece, DumpRows, DumpScan, DumpSettings, parse_rows, split_points,
    };

    #[pyfunction]
    fn copy_text(py: Python, columns: Vec<Column>, forms: Vec<String>) -> PyResult<Exported> {
        let forms = forms.into_iter().map(|name| Form::named(&name)).collect::<Result<Vec<_>, _>>()?;
        let columns = columns.into_iter().map(|column| column.0).zip(forms).collect::<Vec<_>>();
        let rows = columns.first().map_or(0, |(array, _)| array.len());
        let lines: ArrayRef = Arc::new(UInt8Array::from(py.detach(|| copytext::lines(&columns, rows))?));
        Ok(lines.into())
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("REASONS", PyTuple::new(module.py(), Reason::NAMES)?)?;
        module.add("KINDS", PyTuple::new(module.py(), Kind::NAMES)?)?;
        module.add("MAX_DIMENSIONS", crate::embedding::MAX_DIMENSIONS)?;
        module.add("DEBUG", cfg!(debug_assertions))
    }
}
