//! Rows of a dump as Arrow columns: the one file here that knows Arrow.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, StringArray, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{Field, Fields};

use super::charset::{Charset, named};
use super::fault::{Fault, shown};
use super::literal::{Literal, Value, unbit, unhex};
use super::rows::{Rows, Sink};
use super::settings::{Quoting, Settings};

/// What becomes of a field's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8; bytes of which the dump does not say what they are, are of this character set.
    Text(String),
    /// The bytes as they are.
    Bytes,
    /// A number of up to 64 bits in eight bytes, the most significant first.
    Bit,
}

impl Kind {
    /// Reads `text`, `text:latin1`, `bytes` or `bit`.
    #[must_use]
    pub fn parse(kind: &str) -> Option<Self> {
        match kind.split_once(':') {
            Some(("text", charset)) => named(charset).map(|_| Self::Text(charset.to_ascii_lowercase())),
            Some(_) => None,
            None => match kind {
                "text" => Some(Self::Text("utf8mb4".into())),
                "bytes" => Some(Self::Bytes),
                "bit" => Some(Self::Bit),
                _ => None,
            },
        }
    }
}

/// Reads rows into batches of columns.
pub struct Batches {
    rows: Rows,
    columns: Columns,
    most_bytes: usize,
    ended: bool,
}

struct Columns {
    all: Vec<Column>,
    /// The columns of each field.
    by_field: Vec<Vec<usize>>,
    quoting: Quoting,
    session: Session,
}

/// What a string without an introducer is, as far as the session says.
enum Session {
    Known(Charset),
    Unknown(String),
    /// It is of the column's character set.
    Binary,
}

struct Column {
    kind: Kind,
    bytes: Vec<u8>,
    ends: Vec<i32>,
    valid: Vec<bool>,
    scratch: Vec<u8>,
}

impl Batches {
    /// Rows of `fields` values each, of which `wanted` tells field (from 0) and kind of each column.
    ///
    /// # Errors
    /// A field that the rows do not have.
    pub fn new(
        offset: u64,
        line: u64,
        fields: usize,
        wanted: Vec<(usize, Kind)>,
        settings: &Settings,
        most_bytes: usize,
    ) -> Result<Self, usize> {
        let mut by_field = vec![Vec::new(); fields];
        for (column, (field, _)) in wanted.iter().enumerate() {
            by_field.get_mut(*field).ok_or(*field)?.push(column);
        }
        let all = wanted.into_iter().map(|(_, kind)| Column::new(kind)).collect();
        Ok(Self {
            rows: Rows::new(offset, line, fields, settings),
            columns: Columns {
                all,
                by_field,
                quoting: settings.quoting(),
                session: match named(&settings.charset) {
                    _ if settings.charset == "binary" => Session::Binary,
                    Some(charset) => Session::Known(charset),
                    None => Session::Unknown(settings.charset.clone()),
                },
            },
            most_bytes,
            ended: false,
        })
    }

    /// The next rows, which end with the one that reaches the bytes wanted; `None` after the last.
    ///
    /// # Errors
    /// A fault where the data are no such rows, or a value is not what its column asks for.
    pub fn next_batch(&mut self, data: &[u8]) -> Result<Option<ArrayRef>, Fault> {
        let mut starts = Vec::new();
        while !self.ended && (starts.is_empty() || self.columns.size() < self.most_bytes) {
            let start = self.rows.offset();
            if self.rows.next_row(data, &mut self.columns)? {
                starts.push(start);
            } else {
                self.ended = true;
            }
        }
        if starts.is_empty() {
            return Ok(None);
        }
        let batch = self.columns.finish(starts.len());
        batch.map(Some).map_err(|(row, what)| self.rows.fault_at(data, starts[row], what))
    }
}

impl Sink for Columns {
    #[inline]
    fn take(&mut self, field: usize, value: &Value) -> Result<(), String> {
        for &column in &self.by_field[field] {
            self.all[column].push(value, self.quoting, &self.session)?;
        }
        Ok(())
    }
}

impl Columns {
    fn size(&self) -> usize {
        self.all.iter().map(|column| column.bytes.len() + 4 * column.ends.len()).sum()
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, (usize, String)> {
        if self.all.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(rows, None)));
        }
        let arrays = self.all.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        let fields: Fields = arrays
            .iter()
            .enumerate()
            .map(|(at, array)| Field::new(at.to_string(), array.data_type().clone(), true))
            .collect();
        Ok(Arc::new(StructArray::new(fields, arrays, None)))
    }
}

impl Column {
    fn new(kind: Kind) -> Self {
        Self { kind, bytes: Vec::new(), ends: vec![0], valid: Vec::new(), scratch: Vec::new() }
    }

    #[inline]
    fn push(&mut self, value: &Value, quoting: Quoting, session: &Session) -> Result<(), String> {
        let null = matches!(value.literal, Literal::Null);
        if !null {
            match &self.kind {
                Kind::Bytes => append(value, quoting, &mut self.bytes)?,
                Kind::Text(own) => match decoder(value, session, own)? {
                    Charset::Utf8 => append(value, quoting, &mut self.bytes)?,
                    other => {
                        self.scratch.clear();
                        append(value, quoting, &mut self.scratch)?;
                        let text = other.decode(&self.scratch).ok_or_else(|| {
                            format!("{} is no text in its character set", shown(&self.scratch))
                        })?;
                        self.bytes.extend_from_slice(text.as_bytes());
                    }
                },
                Kind::Bit => {
                    self.scratch.clear();
                    self.bytes.extend_from_slice(&bits(value, quoting, &mut self.scratch)?);
                }
            }
        }
        let end = i32::try_from(self.bytes.len()).map_err(|_| {
            "the values of a batch exceed the 2 GiB of one Arrow column: ask for smaller batches".to_owned()
        })?;
        self.ends.push(end);
        self.valid.push(!null);
        Ok(())
    }

    /// The column so far; the row (from 0) and fault of a text that is no UTF-8.
    fn finish(&mut self) -> Result<ArrayRef, (usize, String)> {
        // The next batch is about as large.
        let (size, rows) = (self.bytes.len(), self.valid.len());
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(size + size / 16));
        let ends = std::mem::replace(&mut self.ends, Vec::with_capacity(rows + rows / 16 + 1));
        self.ends.push(0);
        let valid = std::mem::replace(&mut self.valid, Vec::with_capacity(rows + rows / 16));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
        let values = Buffer::from_vec(bytes);
        let wrong = |what: arrow_schema::ArrowError| (0, what.to_string());
        if !matches!(self.kind, Kind::Text(_)) {
            return Ok(Arc::new(BinaryArray::try_new(offsets, values, nulls).map_err(wrong)?));
        }
        match StringArray::try_new(offsets.clone(), values.clone(), nulls) {
            Ok(array) => Ok(Arc::new(array)),
            Err(what) => {
                let row = offsets.windows(2).position(|range| {
                    let [start, end] = [range[0], range[1]].map(|at| usize::try_from(at).unwrap_or(0));
                    std::str::from_utf8(&values[start..end]).is_err()
                });
                Err((
                    row.unwrap_or(0),
                    format!("a text of this row is not UTF-8, as the dump says it is: {what}"),
                ))
            }
        }
    }
}

#[inline]
fn append(value: &Value, quoting: Quoting, out: &mut Vec<u8>) -> Result<(), String> {
    let digit = |digit: u8| format!("{} is no digit of such a literal", shown(&[digit]));
    match value.literal {
        Literal::Text(text) => text.unescape(quoting, out),
        Literal::Number(text) => out.extend_from_slice(text),
        Literal::Hex(digits) => unhex(digits, out).map_err(digit)?,
        Literal::Bits(digits) => unbit(digits, out).map_err(digit)?,
        Literal::Default => {
            return Err("the value is DEFAULT, which only the table's definition tells".to_owned());
        }
        Literal::Null => (),
    }
    Ok(())
}

/// The character set of a value's bytes: its introducer's, the session's, or, where these say nothing, the column's.
#[inline]
fn decoder(value: &Value, session: &Session, own: &str) -> Result<Charset, String> {
    let name = match (value.literal, value.charset) {
        (Literal::Number(_) | Literal::Default | Literal::Null, _) => return Ok(Charset::Utf8),
        (_, Some(introducer)) if introducer.eq_ignore_ascii_case(b"binary") => own,
        (_, Some(introducer)) => std::str::from_utf8(introducer).unwrap_or_default(),
        (Literal::Hex(_) | Literal::Bits(_), None) => own,
        (Literal::Text(_), None) => match session {
            Session::Known(charset) => return Ok(*charset),
            Session::Unknown(name) => name,
            Session::Binary => own,
        },
    };
    named(name).ok_or_else(|| {
        format!("the character set {name} is not supported: dump with --default-character-set=utf8mb4")
    })
}

fn bits(value: &Value, quoting: Quoting, scratch: &mut Vec<u8>) -> Result<[u8; 8], String> {
    if let Literal::Number(text) = value.literal {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        return number
            .map(u64::to_be_bytes)
            .ok_or_else(|| format!("{} is no number of up to 64 bits", shown(text)));
    }
    append(value, quoting, scratch)?;
    let zeros = scratch.iter().take_while(|&&byte| byte == 0).count();
    let significant = &scratch[zeros..];
    let mut number = [0; 8];
    let start = 8_usize.checked_sub(significant.len()).ok_or("the value has more than 64 bits")?;
    number[start..].copy_from_slice(significant);
    Ok(number)
}
