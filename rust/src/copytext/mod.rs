//! Columns to the lines of `COPY ... FROM stdin` in its text format
//! (<https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format").
//!
//! The columns are those that COPY BINARY takes: a value is written as its type's input function reads it, so that
//! both ways land the same. Nothing here knows Python.

mod escape;
mod number;
mod time;
mod value;

#[cfg(test)]
mod tests;

use arrow_array::ArrayRef;

use crate::error::Error;
use value::Column;

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `true` and `false` as `t` and `f`.
    Bool,
    /// An integer of any width.
    Integer,
    /// float32 or float64, with the fewest digits that read back as the same.
    Float,
    /// A decimal of up to 76 digits.
    Numeric,
    /// Text as it is.
    Text,
    /// Text behind the version byte of `jsonb_recv`.
    Jsonb,
    /// Bytes as `\x...`.
    Bytea,
    /// Bytes as hexadecimal digits alone, as `PostGIS` reads them.
    Hex,
    /// What `bit_recv` reads, as zeros and ones.
    Bit,
    /// Lists of text.
    TextArray,
    /// 16 bytes.
    Uuid,
    /// What `network_recv` reads, an address without a network.
    Inet,
    /// What `point_recv` reads.
    Point,
    /// Days.
    Date,
    /// Microseconds of a day.
    Time,
    /// Microseconds without a time zone.
    Timestamp,
    /// Microseconds in UTC.
    Timestamptz,
    /// Microseconds of any length.
    Interval,
    /// What pgvector's `vector_recv` reads, as `[...]`.
    Vector,
}

impl Form {
    /// Every form by its name, which is the one that Python uses.
    pub const NAMES: [(&str, Self); 19] = [
        ("bool", Self::Bool),
        ("integer", Self::Integer),
        ("float", Self::Float),
        ("numeric", Self::Numeric),
        ("text", Self::Text),
        ("jsonb", Self::Jsonb),
        ("bytea", Self::Bytea),
        ("hex", Self::Hex),
        ("bit", Self::Bit),
        ("text[]", Self::TextArray),
        ("uuid", Self::Uuid),
        ("inet", Self::Inet),
        ("point", Self::Point),
        ("date", Self::Date),
        ("time", Self::Time),
        ("timestamp", Self::Timestamp),
        ("timestamptz", Self::Timestamptz),
        ("interval", Self::Interval),
        ("vector", Self::Vector),
    ];

    /// The form called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownForm`].
    pub fn named(name: &str) -> Result<Self, Error> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, form)| *form).ok_or_else(|| Error::UnknownForm(name.to_owned()))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, form)| *form == self).map_or("", |(name, _)| name)
    }
}

/// Writes rows as lines: values with tabs between them, `\N` for a null, a newline after each row.
///
/// # Errors
/// [`Error::NotInForm`] when a column is not of a type that its form takes, [`Error::Malformed`] when a value's bytes
/// are not what the receive function of its type reads.
pub fn lines(columns: &[(ArrayRef, Form)], rows: usize) -> Result<Vec<u8>, Error> {
    let columns =
        columns.iter().map(|(array, form)| Column::new(array, *form)).collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(columns.iter().map(Column::about).sum::<usize>() + rows);
    for row in 0..rows {
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                out.push(b'\t');
            }
            if column.is_null(row) {
                out.extend_from_slice(b"\\N");
            } else {
                column.write(row, &mut out)?;
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}
