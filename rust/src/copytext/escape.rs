//! What COPY must not take for its own: the backslash, and the bytes that end a value or a line.

/// Writes text so that COPY reads it back: a backslash before what has a meaning, control characters by their letters.
pub fn text(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memchr3(b'\\', b'\n', b'\t', rest) {
        plain(&rest[..at], out);
        out.extend_from_slice(match rest[at] {
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            _ => b"\\t",
        });
        rest = &rest[at + 1..];
    }
    plain(rest, out);
}

/// A carriage return is the one other byte that COPY would take for the end of a line.
fn plain(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\\r");
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Writes one element of an array literal, quoted for the array (`array_in` in src/backend/utils/adt/arrayfuncs.c) and
/// then for COPY.
pub fn element(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in value {
        match byte {
            b'"' => out.extend_from_slice(b"\\\\\""),
            b'\\' => out.extend_from_slice(b"\\\\\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Writes bytes as hexadecimal digits.
pub fn hex(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(
        value.iter().flat_map(|&byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
    );
}
