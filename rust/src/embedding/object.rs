//! The object form, `{"0":0.1,"1":-2e-3,...}`, its keys in any order.

use super::cursor::Cursor;
use super::keys::{self, Gap, Keys, Successor};
use super::number;
use super::outcome::{Fault, Reason};

/// Reads on behind the opening bracket, up to the closing one, and hands out each component with its key.
/// Returns the number of components, or what is wrong with the keys as a set.
#[inline]
pub fn parse<'a>(
    mut cursor: Cursor<'a>,
    keys: &mut Keys,
    mut put: impl FnMut(usize, f32),
) -> Result<(Result<usize, Gap>, Cursor<'a>), Fault> {
    cursor.skip_space();
    if cursor.peek() == Some(b'}') {
        return Ok((Ok(0), cursor));
    }
    let mut successor = Successor::first();
    while let Some(key) = successor.take(&mut cursor) {
        cursor.skip_space();
        put(key, number::parse(&mut cursor)?);
        if !cursor.has_another(b'}')? {
            return Ok((Ok(key + 1), cursor));
        }
    }
    // From here on in any order, or in any spacing.
    keys.reset_to(successor.key());
    loop {
        let key;
        (key, cursor) = any_key(cursor, keys)?;
        put(key, number::parse(&mut cursor)?);
        if !cursor.has_another(b'}')? {
            return Ok((keys.extent(), cursor));
        }
    }
}

/// Takes a key and all up to its value.
fn any_key<'a>(mut cursor: Cursor<'a>, keys: &mut Keys) -> Result<(usize, Cursor<'a>), Fault> {
    let start = cursor.offset();
    let text = cursor.string()?;
    let key = keys::canonical(text).ok_or(Fault::new(Reason::KeyOutOfRange, start))?;
    if key >= keys::LIMIT {
        return Err(Fault::with_found(Reason::KeyOutOfRange, start, key));
    }
    if !keys.insert(key) {
        return Err(Fault::with_found(Reason::DuplicateKey, start, key));
    }
    cursor.skip_space();
    cursor.expect(b":")?;
    cursor.skip_space();
    Ok((key, cursor))
}
