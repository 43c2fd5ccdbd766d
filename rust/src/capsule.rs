//! Arrow arrays to and from Python without a copy, by the `PyCapsule` interface
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>).
//!
//! The one place with unsafe code: it takes another library's word for what lies behind a capsule.

#![allow(unsafe_code)]

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::{Array, ArrayRef, make_array};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// Takes over the array that `object` offers.
///
/// # Errors
/// `TypeError` when `object` is no Arrow array, or one of a type that Rust's Arrow does not know.
pub fn import(object: Borrowed<'_, '_, PyAny>) -> PyResult<ArrayRef> {
    if !object.hasattr("__arrow_c_array__")? {
        let kind = object.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!(
            "expected an Arrow array (with __arrow_c_array__), got {kind}"
        )));
    }
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) =
        object.call_method0("__arrow_c_array__")?.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: a capsule of this name holds a valid ArrowArray that is ours to move out; `from_raw` leaves a released
    // one behind, as the interface asks, so that the capsule's destructor does not free it again.
    let array = unsafe { FFI_ArrowArray::from_raw(array.as_ptr()) };
    // SAFETY: the schema capsule is alive until the end of this function, and holds a valid ArrowSchema.
    let schema = unsafe { schema.as_ref() };
    // SAFETY: both come from one call of `__arrow_c_array__`, so the schema describes the array.
    let data = unsafe { from_ffi(array, schema) }.map_err(|error| PyTypeError::new_err(error.to_string()))?;
    Ok(make_array(data))
}

/// An array on its way to Python; `pyarrow.array` and its kin take it.
#[pyclass(frozen, module = "vecferry._core", name = "Array")]
pub struct Exported(ArrayRef);

impl From<ArrayRef> for Exported {
    fn from(array: ArrayRef) -> Self {
        Self(array)
    }
}

#[pymethods]
impl Exported {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // A producer that cannot give the requested type gives its own, and the consumer looks.
        drop(requested_schema);
        let schema = FFI_ArrowSchema::try_from(self.0.data_type())
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let array = FFI_ArrowArray::new(&self.0.to_data());
        let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
        let array = PyCapsule::new_with_value(py, array, ARRAY)?;
        PyTuple::new(py, [schema, array])
    }
}
