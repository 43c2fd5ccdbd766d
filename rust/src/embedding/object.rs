//! The object form, `{"0":0.1,"1":-2e-3,...}`, its keys in any order.

use super::cursor::Cursor;
use super::keys::{self, Bitmap, Gap, Keys, Successor};
use super::number;
use super::outcome::{Fault, Reason};

/// Reads on behind the opening bracket, up to the closing one, and hands out each component with its key.
/// Returns the number of components, or what is wrong with the keys as a set.
#[inline]
pub fn parse<'a>(
    mut cursor: Cursor<'a>,
    seen: &mut Bitmap,
    mut put: impl FnMut(usize, f32),
) -> Result<(Result<usize, Gap>, Cursor<'a>), Fault> {
    let mut keys = Keys::new(seen);
    let mut successor = Successor::first();
    cursor.skip_space();
    if cursor.peek() == Some(b'}') {
        return Ok((keys.extent(), cursor));
    }
    loop {
        let start = cursor.offset();
        let key = if let Some((key, length)) = cursor.window().and_then(|text| successor.take(text)) {
            accept(&mut keys, key, start)?;
            cursor.advance(length);
            key
        } else {
            let (key, after) = any_key(cursor)?;
            accept(&mut keys, key, start)?;
            successor = Successor::of(key + 1);
            cursor = after;
            cursor.skip_space();
            if !cursor.take(b':') {
                return Err(cursor.unexpected());
            }
            key
        };
        cursor.skip_space();
        put(key, number::parse(&mut cursor)?);
        if !cursor.has_another(b'}')? {
            return Ok((keys.extent(), cursor));
        }
    }
}

/// Takes a key of any spelling, without the colon after it.
fn any_key(mut cursor: Cursor) -> Result<(usize, Cursor), Fault> {
    let start = cursor.offset();
    let text = cursor.string()?;
    let key = keys::canonical(text).ok_or(Fault::new(Reason::KeyOutOfRange, start))?;
    Ok((key, cursor))
}

#[inline]
fn accept(keys: &mut Keys, key: usize, start: usize) -> Result<(), Fault> {
    if key >= keys::LIMIT {
        return Err(Fault::with_found(Reason::KeyOutOfRange, start, key));
    }
    if !keys.insert(key) {
        return Err(Fault::with_found(Reason::DuplicateKey, start, key));
    }
    Ok(())
}
