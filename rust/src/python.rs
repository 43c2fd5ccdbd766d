//! The dump reader's Python classes; what they take and return is written in `python/vecferry/_core.pyi`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::create_exception;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::capsule::Exported;
use crate::dump::columns::{Batches, Kind};
use crate::dump::fault::{Failure, Fault};
use crate::dump::file::DumpFile as File;
use crate::dump::input::{self, Stream};
use crate::dump::scan::{Options, Piece, Scan};
use crate::dump::settings::Settings;
use crate::dump::split;
use crate::dump::window::Window;

create_exception!(vecferry._core, DumpError, PyValueError, "A dump that cannot be read.");

/// Python's own error for what the system said about a file.
fn os_error(py: Python, error: &io::Error, path: &str) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            let text = py.import("os").and_then(|os| os.call_method1("strerror", (number,)));
            let text = text.map_or_else(|_| error.to_string(), |text| text.to_string());
            PyOSError::new_err((number, text, path.to_owned()))
        }
        None => PyOSError::new_err(format!("{path}: {error}")),
    }
}

fn dump_error(py: Python, fault: &Fault, path: &str) -> PyErr {
    let place = if path.is_empty() { String::new() } else { format!("{path}, ") };
    let error = DumpError::new_err(format!("{place}{fault}"));
    let value = error.value(py);
    match value.setattr("offset", fault.offset).and_then(|()| value.setattr("line", fault.line)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

fn failure(py: Python, failure: &Failure, path: &str) -> PyErr {
    match failure {
        Failure::Fault(fault) => dump_error(py, fault, path),
        Failure::Io(error) => os_error(py, error, path),
    }
}

/// Settings in force at one place.
#[pyclass(frozen, eq, module = "vecferry._core", from_py_object)]
#[derive(Clone, PartialEq)]
pub struct DumpSettings(Arc<Settings>);

#[pymethods]
impl DumpSettings {
    #[new]
    #[pyo3(signature = (*, no_backslash_escapes=false, ansi_quotes=false, charset="utf8mb4", time_zone=None, server=None))]
    fn new(
        no_backslash_escapes: bool,
        ansi_quotes: bool,
        charset: &str,
        time_zone: Option<String>,
        server: Option<String>,
    ) -> Self {
        let charset = charset.to_ascii_lowercase();
        Self(Arc::new(Settings { no_backslash_escapes, ansi_quotes, charset, time_zone, server }))
    }

    #[getter]
    fn no_backslash_escapes(&self) -> bool {
        self.0.no_backslash_escapes
    }

    #[getter]
    fn ansi_quotes(&self) -> bool {
        self.0.ansi_quotes
    }

    #[getter]
    fn charset(&self) -> &str {
        &self.0.charset
    }

    #[getter]
    fn time_zone(&self) -> Option<&str> {
        self.0.time_zone.as_deref()
    }

    #[getter]
    fn server(&self) -> Option<&str> {
        self.0.server.as_deref()
    }

    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        fields.set_item("no_backslash_escapes", self.0.no_backslash_escapes)?;
        fields.set_item("ansi_quotes", self.0.ansi_quotes)?;
        fields.set_item("charset", &self.0.charset)?;
        fields.set_item("time_zone", &self.0.time_zone)?;
        fields.set_item("server", &self.0.server)?;
        Ok(fields)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python) -> PyResult<String> {
        let fields = self.as_dict(py)?;
        let fields = fields.iter().map(|(name, value)| Ok(format!("{name}={}", value.repr()?)));
        Ok(format!("DumpSettings({})", fields.collect::<PyResult<Vec<_>>>()?.join(", ")))
    }
}

/// One statement, or rows of a long INSERT.
#[pyclass(frozen, module = "vecferry._core")]
pub struct DumpPiece {
    piece: Piece,
    data: Option<Py<PyBytes>>,
}

#[pymethods]
impl DumpPiece {
    #[getter]
    fn kind(&self) -> &str {
        self.piece.kind
    }

    #[getter]
    fn database(&self) -> Option<&str> {
        self.piece.database.as_deref()
    }

    #[getter]
    fn table(&self) -> Option<&str> {
        self.piece.table.as_deref()
    }

    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.piece.columns.as_ref().map(|columns| PyTuple::new(py, columns.iter())).transpose()
    }

    #[getter]
    fn start(&self) -> u64 {
        self.piece.start
    }

    #[getter]
    fn end(&self) -> u64 {
        self.piece.end
    }

    #[getter]
    fn line(&self) -> u64 {
        self.piece.line
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.piece.rows
    }

    #[getter]
    fn text(&self) -> Option<&str> {
        self.piece.text.as_deref()
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.data.as_ref().map(|data| data.bind(py).clone())
    }

    #[getter]
    fn settings(&self) -> DumpSettings {
        DumpSettings(Arc::clone(&self.piece.settings))
    }

    fn __repr__(&self) -> String {
        let Piece { kind, table, start, end, line, rows, .. } = &self.piece;
        let table = table.as_deref().unwrap_or_default();
        format!("<DumpPiece {kind} {table} bytes {start}-{end}, line {line}, {rows} rows>")
    }
}

#[derive(FromPyObject)]
enum Place {
    Descriptor(i32),
    Path(PathBuf),
}

/// A dump once through.
#[pyclass(frozen, module = "vecferry._core")]
pub struct DumpScan {
    path: String,
    compression: &'static str,
    scan: Mutex<Scan<Stream>>,
}

impl DumpScan {
    fn look<T>(&self, at: impl FnOnce(&mut Scan<Stream>) -> T) -> T {
        at(&mut self.scan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl DumpScan {
    #[new]
    #[pyo3(signature = (path, *, start=0, end=None, line=1, settings=None, database=None, piece_bytes=1 << 20, with_data=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python,
        path: Place,
        start: u64,
        end: Option<u64>,
        line: u64,
        settings: Option<DumpSettings>,
        database: Option<String>,
        piece_bytes: u64,
        with_data: bool,
    ) -> PyResult<Self> {
        let (path, name) = match path {
            // Opening it again needs no unsafe code, and what is there already is not read twice.
            Place::Descriptor(number) => {
                (PathBuf::from(format!("/dev/fd/{number}")), "standard input".to_owned())
            }
            Place::Path(path) => {
                let name = path.display().to_string();
                (path, name)
            }
        };
        let opened = py.detach(|| input::open(&path, start));
        let (stream, compression, base) = opened.map_err(|error| os_error(py, &error, &name))?;
        let mut window = Window::new(stream, base, line);
        py.detach(|| window.advance_to(start)).map_err(|error| failure(py, &error, &name))?;
        let settings = settings.map_or_else(Settings::default, |settings| (*settings.0).clone());
        let options = Options { end, piece_bytes, with_data };
        let scan = Scan::new(window.hashing(line), settings, database, options);
        Ok(Self { path: name, compression: compression.name(), scan: Mutex::new(scan) })
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python) -> PyResult<Option<DumpPiece>> {
        let next = py.detach(|| self.look(Scan::next_piece));
        let Some(mut piece) = next.map_err(|error| failure(py, &error, &self.path))? else { return Ok(None) };
        let data = piece.data.take().map(|data| PyBytes::new(py, &data).unbind());
        Ok(Some(DumpPiece { piece, data }))
    }

    #[getter]
    fn complete(&self, py: Python) -> bool {
        py.detach(|| self.look(|scan| scan.session().complete))
    }

    #[getter]
    fn writer(&self, py: Python) -> Option<&'static str> {
        py.detach(|| self.look(|scan| scan.session().writer))
    }

    #[getter]
    fn compression(&self) -> &'static str {
        self.compression
    }

    #[getter]
    fn size(&self, py: Python) -> u64 {
        py.detach(|| self.look(|scan| scan.offset()))
    }

    #[getter]
    fn line(&self, py: Python) -> u64 {
        py.detach(|| self.look(Scan::line))
    }

    #[getter]
    fn digest(&self, py: Python) -> String {
        py.detach(|| self.look(Scan::digest)).unwrap_or_default()
    }

    #[getter]
    fn database(&self, py: Python) -> Option<String> {
        py.detach(|| self.look(|scan| scan.session().database.clone()))
    }

    #[getter]
    fn settings(&self, py: Python) -> DumpSettings {
        DumpSettings(py.detach(|| self.look(|scan| Arc::clone(&scan.session().settings))))
    }
}

/// A dump at any place.
#[pyclass(frozen, module = "vecferry._core")]
pub struct DumpFile {
    path: String,
    file: File,
}

#[pymethods]
impl DumpFile {
    #[new]
    fn new(py: Python, path: PathBuf) -> PyResult<Self> {
        let name = path.display().to_string();
        let file = py.detach(move || File::open(&path)).map_err(|error| os_error(py, &error, &name))?;
        Ok(Self { path: name, file })
    }

    #[getter]
    fn compression(&self) -> &'static str {
        self.file.compression.name()
    }

    fn read<'py>(&self, py: Python<'py>, start: u64, end: u64) -> PyResult<Bound<'py, PyBytes>> {
        let length = end.checked_sub(start).and_then(|length| usize::try_from(length).ok());
        let length =
            length.ok_or_else(|| PyValueError::new_err(format!("no bytes lie between {start} and {end}")))?;
        PyBytes::new_with(py, length, |bytes| {
            let read = py.detach(|| self.file.read(start, bytes));
            read.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => PyOSError::new_err(format!(
                    "{}: the file ends before byte {end}: it is not the one that was scanned",
                    self.path
                )),
                _ => os_error(py, &error, &self.path),
            })
        })
    }
}

/// Rows, batch by batch.
#[pyclass(frozen, module = "vecferry._core")]
pub struct DumpRows {
    data: PyBackedBytes,
    batches: Mutex<Batches>,
}

#[pymethods]
impl DumpRows {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python) -> PyResult<Option<Exported>> {
        let batch = py.detach(|| {
            let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.next_batch(&self.data)
        });
        batch.map(|batch| batch.map(Exported::from)).map_err(|fault| dump_error(py, &fault, ""))
    }
}

/// Guesses at starts of statements.
///
/// # Errors
/// `OSError` where the file cannot be read.
#[pyfunction]
pub fn split_points(py: Python, path: PathBuf, parts: u64) -> PyResult<Vec<u64>> {
    let name = path.display().to_string();
    py.detach(move || split::split_points(&path, parts)).map_err(|error| os_error(py, &error, &name))
}

/// The rows in `data`, batch by batch.
///
/// # Errors
/// `ValueError` for a field or kind that does not exist.
#[pyfunction]
#[pyo3(signature = (data, *, offset, line, fields, wanted, settings, most_bytes=8 << 20))]
pub fn parse_rows(
    data: PyBackedBytes,
    offset: u64,
    line: u64,
    fields: usize,
    wanted: Vec<(usize, String)>,
    settings: &Bound<DumpSettings>,
    most_bytes: usize,
) -> PyResult<DumpRows> {
    let kinds = wanted.into_iter().map(|(field, kind)| match Kind::parse(&kind) {
        Some(kind) => Ok((field, kind)),
        None => Err(PyValueError::new_err(format!(
            "{kind} is no kind of column: text, text:<charset>, bytes or bit"
        ))),
    });
    let kinds = kinds.collect::<PyResult<Vec<_>>>()?;
    let batches = Batches::new(offset, line, fields, kinds, &settings.get().0, most_bytes)
        .map_err(|field| PyValueError::new_err(format!("field {field} is not one of {fields}")))?;
    Ok(DumpRows { data, batches: Mutex::new(batches) })
}
