//! Whole documents: every reason at its place, every cut, every order.

use super::*;
use proptest::prelude::*;

fn read(text: &str, dimensions: usize) -> Result<Vec<f32>, Fault> {
    read_bytes(text.as_bytes(), dimensions)
}

fn read_bytes(text: &[u8], dimensions: usize) -> Result<Vec<f32>, Fault> {
    let mut row = vec![0.0; dimensions];
    Parser::new().read(text, &mut row, |value| value).map(|()| row)
}

fn object(members: impl IntoIterator<Item = (usize, f32)>) -> String {
    let members: Vec<_> =
        members.into_iter().map(|(key, value)| format!("\"{key}\":{}", f64::from(value))).collect();
    format!("{{{}}}", members.join(","))
}

fn array(values: &[f32]) -> String {
    let values: Vec<_> = values.iter().map(|value| f64::from(*value).to_string()).collect();
    format!("[{}]", values.join(","))
}

#[test]
fn both_forms_give_their_components() {
    assert_eq!(read(r#"{"0":0.1,"1":-2e-3}"#, 2), Ok(vec![0.1, -2e-3]));
    assert_eq!(read("[0.1,-2e-3]", 2), Ok(vec![0.1, -2e-3]));
    assert_eq!(read(" \n[ 1 ,\t2\r] ", 2), Ok(vec![1.0, 2.0]));
    assert_eq!(read(" { \"1\" : 2 , \"0\" : 1 } ", 2), Ok(vec![1.0, 2.0]));
}

#[test]
fn a_component_goes_where_its_key_says() {
    assert_eq!(read(r#"{"2":2.5,"0":0.5,"1":1.5}"#, 3), Ok(vec![0.5, 1.5, 2.5]));
}

#[test]
fn each_reason_with_its_place() {
    use Reason::{
        DuplicateKey, KeyOutOfRange, MissingKey, NonFinite, NotANumber, NotJson, TrailingBytes, Truncated,
        WrongDimension,
    };
    for (text, reason, offset, found) in [
        ("", NotJson, 0, 0),
        ("  ", NotJson, 2, 0),
        ("null", NotJson, 0, 0),
        ("0.5", NotJson, 0, 0),
        ("\u{feff}[1,2]", NotJson, 0, 0),
        ("[1,2,]", NotJson, 5, 0),
        ("[1 2]", NotJson, 3, 0),
        ("[01,2]", NotJson, 2, 0),
        ("[,1]", NotJson, 1, 0),
        (r#"{"0":1,}"#, NotJson, 7, 0),
        (r#"{"0" 1}"#, NotJson, 5, 0),
        (r#"{"0"::1}"#, NotJson, 5, 0),
        (r"{0:1}", NotJson, 1, 0),
        (r#"{"0":1]"#, NotJson, 6, 0),
        ("[1}", NotJson, 2, 0),
        (r#"{"0":1,"1":2"#, Truncated, 12, 0),
        ("[1,2", Truncated, 4, 0),
        ("[", Truncated, 1, 0),
        (r#"{"0":"1","1":2}"#, NotANumber, 5, 0),
        ("[1,null]", NotANumber, 3, 0),
        ("[1,[2]]", NotANumber, 3, 0),
        ("[1,NaN]", NonFinite, 3, 0),
        ("[1,-Infinity]", NonFinite, 3, 0),
        ("[1e39,2]", NonFinite, 1, 0),
        (r#"{"0":1,"0":2}"#, DuplicateKey, 7, 0),
        (r#"{"1":1,"0":2, "1":3}"#, DuplicateKey, 14, 1),
        (r#"{"a":1,"0":2}"#, KeyOutOfRange, 1, 0),
        (r#"{"0":1,"01":2}"#, KeyOutOfRange, 7, 0),
        (r#"{"-1":1}"#, KeyOutOfRange, 1, 0),
        (r#"{"\u0030":1}"#, KeyOutOfRange, 1, 0),
        (r#"{"0":1,"65536":2}"#, KeyOutOfRange, 7, 65_536),
        (r#"{"99999999999":2}"#, KeyOutOfRange, 1, u32::MAX),
        (r#"{"0":1,"5":2}"#, KeyOutOfRange, 12, 5),
        (r#"{"1":2}"#, MissingKey, 6, 0),
        (r#"{"0":1}"#, WrongDimension, 6, 1),
        (r#"{"0":1,"1":2,"2":3}"#, WrongDimension, 18, 3),
        (r#"{"2":1,"1":2,"0":3}"#, WrongDimension, 18, 3),
        ("{}", WrongDimension, 1, 0),
        ("[ ]", WrongDimension, 2, 0),
        ("[1,2,3]", WrongDimension, 6, 3),
        ("[1,2] ]", TrailingBytes, 6, 0),
        ("[1,2]\0", TrailingBytes, 5, 0),
    ] {
        assert_eq!(read(text, 2), Err(Fault { reason, offset, found }), "{text}");
    }
}

#[test]
fn the_first_fault_in_the_text_wins() {
    for (text, reason, offset) in [
        (r#"{"0":1,"0":null}"#, Reason::DuplicateKey, 7),
        (r#"{"0":null,"0":1}"#, Reason::NotANumber, 5),
        ("[1] x", Reason::WrongDimension, 2),
        ("[1e99,x]", Reason::NonFinite, 1),
        ("[x,1e99]", Reason::NotJson, 1),
        ("[1e99", Reason::Truncated, 5),
        (r#"{"a"#, Reason::Truncated, 3),
    ] {
        let fault = read(text, 2).unwrap_err();
        assert_eq!((fault.reason, fault.offset), (reason, offset), "{text}");
    }
}

#[test]
fn measuring_finds_the_dimension_or_the_fault() {
    let mut parser = Parser::new();
    assert_eq!(parser.measure(b"[1,2,3]"), Ok(3));
    assert_eq!(parser.measure(br#"{"1":1,"0":2}"#), Ok(2));
    assert_eq!(parser.measure(b"[]"), Err(Fault::with_found(Reason::WrongDimension, 1, 0)));
    assert_eq!(parser.measure(br#"{"0":1,"9":2}"#), Err(Fault::with_found(Reason::MissingKey, 12, 1)));
    let long = array(&vec![1.0; MAX_DIMENSIONS + 1]);
    let fault = Fault::with_found(Reason::WrongDimension, long.len() - 1, MAX_DIMENSIONS + 1);
    assert_eq!(parser.measure(long.as_bytes()), Err(fault));
    assert_eq!(parser.measure(array(&vec![1.0; MAX_DIMENSIONS]).as_bytes()), Ok(MAX_DIMENSIONS));
}

#[test]
fn kinds_are_told_by_their_first_byte() {
    for (text, kind) in [(" {", Kind::Object), ("\n[1", Kind::Array), ("", Kind::Other), ("1", Kind::Other)] {
        assert_eq!(Kind::of(text.as_bytes()), kind);
    }
}

#[test]
fn one_parser_reads_rows_of_any_order_in_turn() {
    let mut parser = Parser::new();
    let mut row = [0.0_f32; 3];
    for text in [r#"{"2":3,"1":2,"0":1}"#, r#"{"0":1,"1":2,"2":3}"#, "[1,2,3]", r#"{"1":2,"2":3,"0":1}"#] {
        row.fill(0.0);
        parser.read(text.as_bytes(), &mut row, |value| value).unwrap();
        assert_eq!(row.map(f32::to_bits), [1.0_f32, 2.0, 3.0].map(f32::to_bits));
        parser.read(br#"{"0":1,"2":1}"#, &mut row, |value| value).unwrap_err();
    }
}

#[test]
fn a_document_cut_anywhere_is_truncated() {
    let values: Vec<f32> = (0_u8..40).map(|i| (f32::from(i) - 20.0) / 7.0).collect();
    for text in
        [object(values.iter().copied().enumerate()), array(&values), r#"{ "1" : 1e-5, "0" : -0.1 }"#.into()]
    {
        for end in 1..text.len() {
            let fault = read_bytes(&text.as_bytes()[..end], 40).unwrap_err();
            assert_eq!(fault, Fault::new(Reason::Truncated, end), "{}", &text[..end]);
        }
    }
}

#[test]
fn no_byte_put_anywhere_breaks_the_parser() {
    let text = r#"{"0":0.012731435708701611,"1":-1.5e-7,"2":12345678.12345678}"#.as_bytes();
    for at in 0..text.len() {
        for byte in 0..=u8::MAX {
            let mut other = text.to_vec();
            other[at] = byte;
            if let Err(fault) = read_bytes(&other, 3) {
                assert!(fault.offset <= other.len());
            }
        }
    }
}

proptest! {
    #[test]
    fn objects_in_any_order_and_spacing_are_the_array(
        values in prop::collection::vec(any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |v| v.is_finite()), 1..300),
        seed in any::<prop::sample::Index>(),
        space in "[ \t\r\n]{0,3}",
    ) {
        let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        let mut members: Vec<_> = values.iter().copied().enumerate().collect();
        let turn = seed.index(members.len());
        members.rotate_left(turn);
        members[turn / 2..].reverse();
        let spaced = object(members.clone()).replace(',', &format!("{space},{space}")).replace(':', &format!("{space}:{space}"));
        for text in [object(members), spaced, array(&values), object(values.iter().copied().enumerate())] {
            let row = read(&text, values.len()).unwrap();
            prop_assert_eq!(row.into_iter().map(f32::to_bits).collect::<Vec<_>>(), bits.clone());
        }
    }

    #[test]
    fn bytes_of_any_kind_are_judged(text in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(fault) = read_bytes(&text, 2) {
            prop_assert!(fault.offset <= text.len());
        }
    }

    #[test]
    fn json_like_text_is_judged_at_a_place_in_it(text in "[\\[{\"0-9:,.eE+ \\]}-]{0,40}") {
        if let Err(fault) = read(&text, 2) {
            prop_assert!(fault.offset <= text.len());
            prop_assert!(fault.reason != Reason::Ok && fault.reason != Reason::Null);
        }
    }
}
