//! Any bytes: the parser and an independent reading of them, by `serde_json` and `str::parse`, must agree on
//! whether they are an embedding, on every bit of its components, and on the two ways of not being JSON.

#![no_main]

use std::fmt;

// Its source and not its crate, which takes Python and Arrow to build.
#[allow(dead_code)]
#[path = "../../src/embedding/mod.rs"]
mod embedding;

use embedding::{Fault, MAX_DIMENSIONS, Parser, Reason};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What a document holds, in its order, with keys that are written without escapes and values as they stand.
struct Members<'a>(Vec<(Option<&'a str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry()? {
            members.push((Some(key), value));
        }
        Ok(Members(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(value) = sequence.next_element()? {
            members.push((None, value));
        }
        Ok(Members(members))
    }
}

/// The bits of each component, if `members` are an embedding.
fn components(members: &Members) -> Option<Vec<u32>> {
    let mut row = vec![None; members.0.len()];
    for (place, (key, value)) in members.0.iter().enumerate() {
        let index = match key {
            Some(key) => key.parse().ok().filter(|index: &usize| index.to_string() == *key)?,
            None => place,
        };
        let number: f32 = value
            .get()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
            .then_some(value.get())?
            .parse()
            .ok()?;
        let slot = row.get_mut(index).filter(|slot| slot.is_none() && number.is_finite())?;
        *slot = Some(number.to_bits());
    }
    let row: Vec<u32> = row.into_iter().collect::<Option<_>>()?;
    (1..=MAX_DIMENSIONS).contains(&row.len()).then_some(row)
}

fn read(parser: &mut Parser, text: &[u8], dimensions: usize) -> Result<Vec<u32>, Fault> {
    let mut row = vec![0; dimensions];
    parser.read(text, &mut row, f32::to_bits).map(|()| row)
}

fuzz_target!(|text: &[u8]| {
    let mut parser = Parser::new();
    let document = serde_json::from_slice::<Members>(text);
    let measured = parser.measure(text);
    if let Some(expected) = document.as_ref().ok().and_then(components) {
        let dimensions = expected.len();
        assert_eq!(measured, Ok(dimensions));
        assert_eq!(read(&mut parser, text, dimensions), Ok(expected));
        let fault = read(&mut parser, text, dimensions + 1).unwrap_err();
        assert_eq!((fault.reason, fault.found as usize), (Reason::WrongDimension, dimensions));
        return;
    }
    let fault = measured.expect_err("what is no embedding has a fault");
    assert!(fault.offset <= text.len());
    for dimensions in [1, 3] {
        // The dimension is judged at the closing bracket, before what trails it.
        let other = read(&mut parser, text, dimensions).unwrap_err();
        let earlier = fault.reason == Reason::TrailingBytes && other.reason == Reason::WrongDimension;
        assert!(other.offset == fault.offset || earlier && other.offset < fault.offset);
    }
    let begun = text.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    match (fault.reason, document) {
        (Reason::Truncated, document) => {
            assert_eq!(fault.offset, text.len());
            // serde_json knows neither NaN nor Infinity, looks into escapes, which are refused as keys in any
            // case, and calls a number that is cut before a digit wrong.
            let differs = text.iter().any(|byte| b"NI\\".contains(byte))
                || text.last().is_some_and(|byte| b"-+.eE".contains(byte));
            assert!(document.is_err_and(|error| error.is_eof() || differs));
        }
        (Reason::NotJson, document) if begun => {
            assert!(fault.offset < text.len());
            // A broken \u near the end of the text is a cut one to serde_json.
            assert!(document.is_err_and(|error| error.is_syntax() || error.is_eof()));
        }
        (Reason::Ok | Reason::Null, _) => panic!("no reason for a fault"),
        _ => (),
    }
});
