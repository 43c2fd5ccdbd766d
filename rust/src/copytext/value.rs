//! One column's values, each written as its form says.

use std::net::{Ipv4Addr, Ipv6Addr};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DurationMicrosecondArray,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, ListArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit};

use super::{Form, escape, number, time};
use crate::column::TextColumn;
use crate::error::Error;

/// A column that can be written: its type goes with its form.
pub struct Column {
    values: Values,
    form: Form,
    nulls: Option<NullBuffer>,
    about: usize,
}

enum Values {
    Bool(BooleanArray),
    Int16(Int16Array),
    Int32(Int32Array),
    Int64(Int64Array),
    UInt64(UInt64Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Decimal128(Decimal128Array, i8),
    Decimal256(Decimal256Array, i8),
    Bytes(TextColumn),
    Fixed(FixedSizeBinaryArray),
    Lists(ListArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    Timestamp(TimestampMicrosecondArray),
    Duration(DurationMicrosecondArray),
}

impl Column {
    /// Takes a column to be written in a form.
    ///
    /// # Errors
    /// [`Error::NotInForm`].
    pub fn new(array: &ArrayRef, form: Form) -> Result<Self, Error> {
        let values = values_of(array, form)?;
        Ok(Self { values, form, nulls: array.logical_nulls(), about: array.get_buffer_memory_size() })
    }

    /// About how many bytes it takes as text.
    pub fn about(&self) -> usize {
        match self.form {
            Form::Bytea | Form::Hex => 2 * self.about,
            // Nine digits, a sign, a zero, a point and a comma for four bytes.
            Form::Vector => 3 * self.about + self.about / 2,
            _ => self.about + self.about / 4,
        }
    }

    /// Whether the row has no value.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Writes the value of a row that is not null.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let whole = match &self.values {
            Values::Bytes(column) => self.bytes(column.get(row).unwrap_or_default(), out),
            Values::Fixed(array) => self.bytes(array.value(row), out),
            Values::Lists(array) => texts(&array.value(row), out)?,
            Values::Date(array) => time::date(array.value(row), out),
            Values::Timestamp(array) => {
                time::timestamp(array.value(row), self.form == Form::Timestamptz, out)
            }
            others => {
                others.write(row, out);
                true
            }
        };
        if whole { Ok(()) } else { Err(Error::Malformed { form: self.form.name(), row }) }
    }

    /// Writes a value that is bytes; false where they are not what the type's receive function reads.
    fn bytes(&self, value: &[u8], out: &mut Vec<u8>) -> bool {
        match self.form {
            Form::Jsonb => {
                let Some((_, text)) = value.split_first() else { return false };
                escape::text(text, out);
            }
            Form::Bytea => {
                out.extend_from_slice(b"\\\\x");
                escape::hex(value, out);
            }
            Form::Hex => escape::hex(value, out),
            Form::Bit => return bits(value, out).is_some(),
            Form::Uuid => return uuid(value, out),
            Form::Inet => return inet(value, out).is_some(),
            Form::Point => return point(value, out).is_some(),
            Form::Vector => return vector(value, out),
            _ => escape::text(value, out),
        }
        true
    }
}

impl Values {
    /// Writes one of the values that can always be written.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Bool(array) => out.push(if array.value(row) { b't' } else { b'f' }),
            Self::Int16(array) => number::integer(array.value(row), out),
            Self::Int32(array) => number::integer(array.value(row), out),
            Self::Int64(array) => number::integer(array.value(row), out),
            Self::UInt64(array) => number::integer(array.value(row), out),
            Self::Float32(array) => number::float(array.value(row), out),
            Self::Float64(array) => number::float(array.value(row), out),
            Self::Decimal128(array, scale) => number::decimal(array.value(row), *scale, out),
            Self::Decimal256(array, scale) => number::large_decimal(array.value(row), *scale, out),
            Self::Time(array) => time::clock(array.value(row).unsigned_abs(), out),
            Self::Duration(array) => time::interval(array.value(row), out),
            Self::Bytes(_) | Self::Fixed(_) | Self::Lists(_) | Self::Date(_) | Self::Timestamp(_) => (),
        }
    }
}

fn values_of(array: &ArrayRef, form: Form) -> Result<Values, Error> {
    use DataType as Type;
    let wrong = || Error::NotInForm { form: form.name(), found: array.data_type().clone() };
    Ok(match (form, array.data_type()) {
        (Form::Bool, Type::Boolean) => Values::Bool(array.as_boolean().clone()),
        (Form::Integer, Type::Int16) => Values::Int16(array.as_primitive::<Int16Type>().clone()),
        (Form::Integer, Type::Int32) => Values::Int32(array.as_primitive::<Int32Type>().clone()),
        (Form::Integer, Type::Int64) => Values::Int64(array.as_primitive::<Int64Type>().clone()),
        (Form::Integer, Type::UInt64) => Values::UInt64(array.as_primitive::<UInt64Type>().clone()),
        (Form::Float, Type::Float32) => Values::Float32(array.as_primitive::<Float32Type>().clone()),
        (Form::Float, Type::Float64) => Values::Float64(array.as_primitive::<Float64Type>().clone()),
        (Form::Numeric, Type::Decimal128(_, scale)) => {
            Values::Decimal128(array.as_primitive::<Decimal128Type>().clone(), *scale)
        }
        (Form::Numeric, Type::Decimal256(_, scale)) => {
            Values::Decimal256(array.as_primitive::<Decimal256Type>().clone(), *scale)
        }
        (Form::TextArray, Type::List(field)) if field.data_type() == &Type::Utf8 => {
            Values::Lists(array.as_list::<i32>().clone())
        }
        (Form::Uuid, Type::FixedSizeBinary(16)) => Values::Fixed(array.as_fixed_size_binary().clone()),
        (Form::Date, Type::Date32) => Values::Date(array.as_primitive::<Date32Type>().clone()),
        (Form::Time, Type::Time64(TimeUnit::Microsecond)) => {
            Values::Time(array.as_primitive::<Time64MicrosecondType>().clone())
        }
        (Form::Timestamp | Form::Timestamptz, Type::Timestamp(TimeUnit::Microsecond, _)) => {
            Values::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone())
        }
        (Form::Interval, Type::Duration(TimeUnit::Microsecond)) => {
            Values::Duration(array.as_primitive::<DurationMicrosecondType>().clone())
        }
        (
            Form::Text
            | Form::Jsonb
            | Form::Bytea
            | Form::Hex
            | Form::Bit
            | Form::Inet
            | Form::Point
            | Form::Vector,
            _,
        ) => Values::Bytes(TextColumn::try_from(array.clone()).map_err(|_| wrong())?),
        _ => return Err(wrong()),
    })
}

fn texts(list: &ArrayRef, out: &mut Vec<u8>) -> Result<bool, Error> {
    let parts = TextColumn::try_from(list.clone())?;
    out.push(b'{');
    for (place, part) in parts.rows().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match part {
            Some(text) => escape::element(text, out),
            None => out.extend_from_slice(b"NULL"),
        }
    }
    out.push(b'}');
    Ok(true)
}

/// `bit_recv` (`src/backend/utils/adt/varbit.c`): how many bits, int32, then the bits from the highest on.
fn bits(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (count, bits) = value.split_first_chunk()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    if bits.len() != count.div_ceil(8) {
        return None;
    }
    out.extend((0..count).map(|bit| b'0' + (bits[bit / 8] >> (7 - bit % 8) & 1)));
    Some(())
}

fn uuid(value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.len() != 16 {
        return false;
    }
    for (place, group) in
        [&value[..4], &value[4..6], &value[6..8], &value[8..10], &value[10..]].iter().enumerate()
    {
        if place > 0 {
            out.push(b'-');
        }
        escape::hex(group, out);
    }
    true
}

/// `network_recv` (`src/backend/utils/adt/network.c`): family, bits, `is_cidr`, bytes of the address, the address.
fn inet(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let address = value.get(4..)?;
    let text = match address.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?).to_string(),
        _ => Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).to_string(),
    };
    out.extend_from_slice(text.as_bytes());
    Some(())
}

/// `point_recv` (`src/backend/utils/adt/geo_ops.c`): x, then y, each a float8.
fn point(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let value = <[u8; 16]>::try_from(value).ok()?;
    let (x, y) = value.split_at(8);
    out.push(b'(');
    number::float(f64::from_be_bytes(x.try_into().ok()?), out);
    out.push(b',');
    number::float(f64::from_be_bytes(y.try_into().ok()?), out);
    out.push(b')');
    Some(())
}

/// pgvector's `vector_recv`, see [`crate::wire`]; a vector holds neither NaN nor infinity.
fn vector(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((_, components)) = value.split_first_chunk::<4>() else { return false };
    let (components, rest) = components.as_chunks::<4>();
    if components.is_empty() || !rest.is_empty() {
        return false;
    }
    out.push(b'[');
    for component in components {
        number::finite(f32::from_be_bytes(*component), out);
        out.push(b',');
    }
    out.pop();
    out.push(b']');
    true
}
