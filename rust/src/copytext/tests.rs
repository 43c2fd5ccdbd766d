use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    DurationMicrosecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int64Array, ListArray,
    PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use proptest::prelude::*;

use super::{Form, lines};

fn written(array: impl arrow_array::Array + 'static, form: Form) -> String {
    let array: ArrayRef = Arc::new(array);
    let rows = array.len();
    String::from_utf8(lines(&[(array, form)], rows).unwrap()).unwrap()
}

#[test]
fn values_have_tabs_between_them_and_a_newline_behind() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), None]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("")]));
    let found = lines(&[(numbers, Form::Integer), (texts, Form::Text)], 2).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), "-9223372036854775808\t\\N\n\\N\t\n");
}

#[test]
fn what_copy_reads_for_its_own_is_escaped() {
    let texts = StringArray::from(vec!["a\tb\nc\rd\\e", "\\.", "\\N", "\r\r\t\t", "é\u{8}\u{1f}"]);
    let expected = "a\\tb\\nc\\rd\\\\e\n\\\\.\n\\\\N\n\\r\\r\\t\\t\né\u{8}\u{1f}\n";
    assert_eq!(written(texts, Form::Text), expected);
}

#[test]
fn numbers_keep_every_digit() {
    let floats = Float32Array::from(vec![0.1, -0.0, 1e10, f32::MIN_POSITIVE, 16_777_216.0, f32::NAN]);
    assert_eq!(written(floats, Form::Float), "0.1\n-0\n10000000000\n1.1754944e-38\n16777216\nNaN\n");
    let doubles = Float64Array::from(vec![0.1 + 0.2, f64::INFINITY, f64::NEG_INFINITY]);
    assert_eq!(written(doubles, Form::Float), "0.30000000000000004\nInfinity\n-Infinity\n");
    let decimals = Decimal128Array::from(vec![5, -5, 1234, 0]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(written(decimals, Form::Numeric), "0.05\n-0.05\n12.34\n0.00\n");
    let digits = "9".repeat(65);
    let large = Decimal256Array::from(vec![i256::from_string(&digits).unwrap(), i256::MINUS_ONE])
        .with_precision_and_scale(65, 30)
        .unwrap();
    let expected = format!("{}.{}\n-0.{}1\n", "9".repeat(35), "9".repeat(30), "0".repeat(29));
    assert_eq!(written(large, Form::Numeric), expected);
    let whole = Decimal128Array::from(vec![-7]).with_precision_and_scale(20, 0).unwrap();
    assert_eq!(written(whole, Form::Numeric), "-7\n");
}

#[test]
fn times_are_iso() {
    let days = Date32Array::from(vec![0, -719_162, -719_163, 2_932_896]);
    assert_eq!(written(days, Form::Date), "1970-01-01\n0001-01-01\n0001-12-31 BC\n9999-12-31\n");
    let stamps = TimestampMicrosecondArray::from(vec![0, -1, 1_500_000]);
    let expected = "1970-01-01 00:00:00\n1969-12-31 23:59:59.999999\n1970-01-01 00:00:01.5\n";
    assert_eq!(written(stamps.clone(), Form::Timestamp), expected);
    let expected = "1970-01-01 00:00:00+00\n1969-12-31 23:59:59.999999+00\n1970-01-01 00:00:01.5+00\n";
    assert_eq!(written(stamps, Form::Timestamptz), expected);
    let spans = DurationMicrosecondArray::from(vec![-3_020_399_000_000, 1, 0]);
    assert_eq!(written(spans, Form::Interval), "-838:59:59\n00:00:00.000001\n00:00:00\n");
}

#[test]
fn bytes_are_hexadecimal() {
    let bytes = || BinaryArray::from(vec![&[0, 0x9a, 0xff][..], &[]]);
    assert_eq!(written(bytes(), Form::Bytea), "\\\\x009aff\n\\\\x\n");
    assert_eq!(written(bytes(), Form::Hex), "009aff\n\n");
    let id = FixedSizeBinaryArray::try_from_iter([(0..16).collect::<Vec<u8>>()].into_iter()).unwrap();
    assert_eq!(written(id, Form::Uuid), "00010203-0405-0607-0809-0a0b0c0d0e0f\n");
}

#[test]
fn what_receive_functions_read_is_what_input_functions_read() {
    let bits = BinaryArray::from(vec![&[0, 0, 0, 10, 0b1010_0000, 0b0100_0000][..]]);
    assert_eq!(written(bits, Form::Bit), "1010000001\n");
    let addresses = BinaryArray::from(vec![
        &[2, 32, 0, 4, 127, 0, 0, 1][..],
        &[3, 128, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]);
    assert_eq!(written(addresses, Form::Inet), "127.0.0.1\n2001:db8::1\n");
    let mut place = 1.5f64.to_be_bytes().to_vec();
    place.extend((-2.0f64).to_be_bytes());
    assert_eq!(written(BinaryArray::from(vec![&place[..]]), Form::Point), "(1.5,-2)\n");
    assert_eq!(written(BinaryArray::from(vec![&b"\x01{\"a\\n\":1}"[..]]), Form::Jsonb), "{\"a\\\\n\":1}\n");
    assert_eq!(written(BooleanArray::from(vec![true, false]), Form::Bool), "t\nf\n");
    let vectors = BinaryArray::from(vec![&[0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xbd, 0xcc, 0xcc, 0xcd][..]]);
    assert_eq!(written(vectors, Form::Vector), "[1,-0.1]\n");
}

#[test]
fn arrays_are_quoted_twice() {
    let parts = StringArray::from(vec![Some("a,b"), Some("\"\\"), Some(""), Some("NULL"), None]);
    let field = Arc::new(arrow_schema::Field::new("item", arrow_schema::DataType::Utf8, true));
    let offsets = arrow_buffer::OffsetBuffer::from_lengths([5, 0]);
    let lists = ListArray::try_new(field, offsets, Arc::new(parts), None).unwrap();
    assert_eq!(written(lists, Form::TextArray), "{\"a,b\",\"\\\\\"\\\\\\\\\",\"\",\"NULL\",NULL}\n{}\n");
}

#[test]
fn a_column_of_another_type_is_refused() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let error = lines(&[(array, Form::Date)], 1).unwrap_err();
    assert_eq!(error.to_string(), "a column of Int64 cannot be written as date");
    let error = Form::named("money").unwrap_err();
    assert_eq!(error.to_string(), "no form is called \"money\"");
    let short: ArrayRef = Arc::new(BinaryArray::from(vec![&[0, 2][..]]));
    for form in [Form::Vector, Form::Bit, Form::Inet, Form::Point] {
        lines(&[(short.clone(), form)], 1).unwrap_err();
    }
    let odd: ArrayRef = Arc::new(PrimitiveArray::<Int32Type>::from(vec![1]));
    lines(&[(odd, Form::Text)], 1).unwrap_err();
}

/// COPY's own way back, by its manual.
fn unescaped(line: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        found.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(&other) => other,
                None => panic!("a backslash ends the line"),
            },
            b'\n' | b'\r' | b'\t' => panic!("not escaped"),
            other => other,
        });
    }
    found
}

proptest! {
    #[test]
    fn any_bytes_come_back(value in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'\n'), Just(b'\r')], 0..200)) {
        let array: ArrayRef = Arc::new(BinaryArray::from(vec![&value[..]]));
        let line = lines(&[(array, Form::Text)], 1).unwrap();
        prop_assert_eq!(unescaped(&line[..line.len() - 1]), value);
    }

    #[test]
    fn any_float_comes_back(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        let read: f32 = written(Float32Array::from(vec![value]), Form::Float).trim_end().parse().unwrap();
        prop_assert_eq!(read.to_bits(), bits);
    }
}
