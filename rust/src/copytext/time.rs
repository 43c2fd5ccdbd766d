//! Dates and times in ISO 8601's form, which `PostgreSQL` reads whatever `DateStyle` says.

use chrono::{DateTime, Datelike};

use super::number::integer;

const MICROSECONDS: u64 = 1_000_000;
const DAY: i64 = 86_400 * 1_000_000;

/// Writes days since 1970; the year before 1 is 1 BC. False where there is no such date.
pub fn date(days: i32, out: &mut Vec<u8>) -> bool {
    let Some(era) = calendar_day(i64::from(days) * DAY, out) else { return false };
    out.extend_from_slice(era);
    true
}

/// Writes microseconds since 1970, in UTC where `zone` says so. False where there is no such time.
pub fn timestamp(microseconds: i64, zone: bool, out: &mut Vec<u8>) -> bool {
    let Some(era) = calendar_day(microseconds, out) else { return false };
    out.push(b' ');
    clock(microseconds.rem_euclid(DAY).unsigned_abs(), out);
    if zone {
        out.extend_from_slice(b"+00");
    }
    out.extend_from_slice(era);
    true
}

/// Writes the date of a time and returns what follows a year before 1.
fn calendar_day(microseconds: i64, out: &mut Vec<u8>) -> Option<&'static [u8]> {
    let date = DateTime::from_timestamp_micros(microseconds)?.date_naive();
    let before = date.year() <= 0;
    let year = if before { 1 - date.year() } else { date.year() };
    let missing = [1000, 100, 10].into_iter().filter(|&least| year < least).count();
    out.extend(std::iter::repeat_n(b'0', missing));
    integer(year, out);
    out.push(b'-');
    two(date.month(), out);
    out.push(b'-');
    two(date.day(), out);
    Some(if before { b" BC" } else { b"" })
}

/// Writes microseconds as hours, minutes and seconds; the hours may be more than a day has.
pub fn clock(microseconds: u64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (microseconds / MICROSECONDS, microseconds % MICROSECONDS);
    let hours = seconds / 3600;
    if hours < 10 {
        out.push(b'0');
    }
    integer(hours, out);
    out.push(b':');
    two(u32::try_from(seconds / 60 % 60).unwrap_or_default(), out);
    out.push(b':');
    two(u32::try_from(seconds % 60).unwrap_or_default(), out);
    if fraction > 0 {
        let digits = (MICROSECONDS + fraction).to_string();
        out.push(b'.');
        out.extend_from_slice(digits[1..].trim_end_matches('0').as_bytes());
    }
}

/// Writes an interval that is hours and less, as `-838:59:59.5`.
pub fn interval(microseconds: i64, out: &mut Vec<u8>) {
    if microseconds < 0 {
        out.push(b'-');
    }
    clock(microseconds.unsigned_abs(), out);
}

fn two(number: u32, out: &mut Vec<u8>) {
    if number < 10 {
        out.push(b'0');
    }
    integer(number, out);
}
