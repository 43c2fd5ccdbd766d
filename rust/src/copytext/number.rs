//! Numbers as `PostgreSQL`'s input functions read them.

use arrow_buffer::i256;

/// Writes an integer.
pub fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a float with the fewest digits that read back as the same.
pub fn float<F: zmij::Float + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) {
    let wide: f64 = value.into();
    if wide.is_finite() {
        finite(value, out);
    } else if wide.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if wide > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

/// Writes a float that is finite; a whole number has no point.
#[inline]
pub fn finite<F: zmij::Float>(value: F, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// Writes a decimal of up to 38 digits, `scale` of them behind the point.
pub fn decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    point(itoa::Buffer::new().format(value), scale, out);
}

/// Writes a decimal of up to 76 digits, `scale` of them behind the point.
pub fn large_decimal(value: i256, scale: i8, out: &mut Vec<u8>) {
    point(&value.to_string(), scale, out);
}

fn point(digits: &str, scale: i8, out: &mut Vec<u8>) {
    let Some(scale) = usize::try_from(scale).ok().filter(|&scale| scale > 0) else {
        out.extend_from_slice(digits.as_bytes());
        return;
    };
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    if bare.len() < digits.len() {
        out.push(b'-');
    }
    let (whole, fraction) = bare.split_at(bare.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', scale - fraction.len()));
    out.extend_from_slice(fraction.as_bytes());
}
