//! The array form, `[0.1,-2e-3,...]`.

use super::cursor::Cursor;
use super::number;
use super::outcome::Fault;

/// Reads on behind the opening bracket, up to the closing one, hands out each component with its place and
/// returns how many there are.
#[inline]
pub fn parse(mut cursor: Cursor, mut put: impl FnMut(usize, f32)) -> Result<(usize, Cursor), Fault> {
    let mut count = 0;
    cursor.skip_space();
    if cursor.peek() == Some(b']') {
        return Ok((count, cursor));
    }
    loop {
        put(count, number::parse(&mut cursor)?);
        count += 1;
        if !cursor.has_another(b']')? {
            return Ok((count, cursor));
        }
    }
}
