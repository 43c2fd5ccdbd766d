//! What stands between the quotes of a string, to the bytes it means.
//!
//! An escape is two bytes that mean one: a backslash and what follows it, or a quote and its double. In JSON that
//! mysqldump writes there is one every ten bytes or so, so they are found 64 bytes at a time in words of 64 bits, and
//! what lies between two of them is copied in one step of fixed length.

use super::charset::Pairs;
use super::settings::Quoting;

/// The bytes that are looked at together.
const BLOCK: usize = 64;

/// The bytes that are copied at once. What is too much is written over by what comes next.
const COPY: usize = 32;

/// What a byte means after a backslash (`get_text` in the server's `sql_lex.cc`).
const MEANT: [u8; 256] = {
    let mut meant = [0; 256];
    let mut byte: u8 = 0;
    loop {
        meant[byte as usize] = match byte {
            b'0' => 0,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'Z' => 26,
            other => other,
        };
        if byte == u8::MAX {
            break meant;
        }
        byte += 1;
    }
};

/// Appends the bytes that `raw`, a string's inside that `quote` encloses, means.
#[inline]
pub fn unescape(raw: &[u8], quote: u8, quoting: Quoting, out: &mut Vec<u8>) {
    if quoting.pairs != Pairs::None {
        return slowly(raw, quote, quoting, out);
    }
    // Without backslashes only doubled quotes are left.
    let escape = if quoting.backslash { b'\\' } else { quote };
    if raw.len() < BLOCK {
        return short(raw, quote, escape, out);
    }
    let start = out.len();
    out.resize(start + raw.len() + COPY, 0);
    let written = blocks(raw, quote, escape, &mut out[start..]);
    out.truncate(start + written);
}

#[inline]
fn short(raw: &[u8], quote: u8, escape: u8, out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == quote || byte == escape) {
        out.extend_from_slice(&rest[..at]);
        let mut pair = [rest[at]; 2];
        let meant = pair_meant(rest[at], rest.get(at + 1).copied(), &mut pair);
        out.extend_from_slice(meant);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// What an escape means: one byte, but two where a pattern of LIKE keeps its backslash.
fn pair_meant(first: u8, second: Option<u8>, pair: &mut [u8; 2]) -> &[u8] {
    let Some(second) = second else { return &pair[..1] };
    if first != b'\\' {
        pair[0] = second;
    } else if matches!(second, b'%' | b'_') {
        *pair = [first, second];
        return pair;
    } else {
        pair[0] = MEANT[usize::from(second)];
    }
    &pair[..1]
}

/// Writes to `out`, which has room for `raw` and a step more; how many bytes.
fn blocks(raw: &[u8], quote: u8, escape: u8, out: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    // Whether the last byte of the block before escapes the first of this one.
    let mut carried = 0;
    let mut base = 0;
    while base < raw.len() {
        let mask = if let Some(block) = raw[base..].first_chunk() {
            mask(block, quote, escape)
        } else {
            let mut block = [0; BLOCK];
            block[..raw.len() - base].copy_from_slice(&raw[base..]);
            mask(&block, quote, escape)
        };
        let mut starts = escapes(mask, &mut carried);
        while starts != 0 {
            let at = base + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            to += copy(&raw[from..], at - from, &mut out[to..]);
            // The quote that doubles one means itself, so both kinds of escapes are one lookup.
            let Some(&second) = raw.get(at + 1) else {
                out[to] = raw[at];
                return to + 1;
            };
            if matches!(second, b'%' | b'_') {
                out[to] = b'\\';
                to += 1;
            }
            out[to] = MEANT[usize::from(second)];
            to += 1;
            from = at + 2;
        }
        base += BLOCK;
    }
    let rest = raw.get(from..).unwrap_or_default();
    out[to..to + rest.len()].copy_from_slice(rest);
    to + rest.len()
}

#[inline(always)]
fn copy(from: &[u8], length: usize, to: &mut [u8]) -> usize {
    match (from.first_chunk::<COPY>(), to.first_chunk_mut::<COPY>()) {
        (Some(source), Some(target)) if length <= COPY => *target = *source,
        _ => to[..length].copy_from_slice(&from[..length]),
    }
    length
}

/// A bit for each byte that is one of the two.
#[inline(always)]
fn mask(block: &[u8; BLOCK], quote: u8, escape: u8) -> u64 {
    let words = block.as_chunks::<8>().0;
    words.iter().enumerate().fold(0, |mask, (index, word)| {
        let word = u64::from_le_bytes(*word);
        mask | gathered(equal(word, quote) | equal(word, escape)) << (8 * index)
    })
}

/// The high bits of the eight bytes side by side. By shifts, because SSE2 does not multiply 64 bits.
#[inline(always)]
fn gathered(high_bits: u64) -> u64 {
    let pairs = high_bits >> 7 | high_bits >> 14;
    let fours = pairs | pairs >> 14;
    (fours | fours >> 28) & 0xFF
}

/// The high bit of each byte of `word` that is `byte`.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let differs = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    !(((differs & LOW) + LOW) | differs | LOW)
}

/// Of bytes that may begin an escape, those that do: the first, third and so on of each run, as simdjson finds the
/// backslashes that escape (<https://arxiv.org/abs/1902.08318>, section 3.1.1).
#[inline(always)]
fn escapes(mask: u64, carried: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    let potential = mask & !*carried;
    let series = (((potential << 1) | ODD).wrapping_sub(potential)) ^ ODD;
    let starts = series & mask;
    *carried = starts >> 63;
    starts
}

/// For character sets in which a backslash may be half a character.
#[cold]
fn slowly(raw: &[u8], quote: u8, quoting: Quoting, out: &mut Vec<u8>) {
    let mut rest = raw;
    loop {
        rest = match *rest {
            [] => return,
            [first, second, ref rest @ ..] if quoting.pairs.is_one(first, second) => {
                out.extend_from_slice(&[first, second]);
                rest
            }
            [first, ref rest @ ..] if first == quote || (first == b'\\' && quoting.backslash) => {
                out.extend_from_slice(pair_meant(first, rest.first().copied(), &mut [first; 2]));
                rest.get(1..).unwrap_or_default()
            }
            [byte, ref rest @ ..] => {
                out.push(byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(raw: &[u8], backslash: bool, pairs: Pairs) -> Vec<u8> {
        let mut out = b"before".to_vec();
        unescape(raw, b'\'', Quoting { backslash, ansi: false, pairs }, &mut out);
        out.split_off(6)
    }

    #[test]
    fn every_escape() {
        let raw = br#"a\0\b\t\n\r\Z\%\_\\\"\x''b"#;
        let with = b"a\0\x08\t\n\r\x1a\\%\\_\\\"x'b";
        let without = br#"a\0\b\t\n\r\Z\%\_\\\"\x'b"#;
        for times in [1, 20] {
            assert_eq!(read(&raw.repeat(times), true, Pairs::None), with.repeat(times));
            assert_eq!(read(&raw.repeat(times), false, Pairs::None), without.repeat(times));
        }
        assert_eq!(read(br"\'", true, Pairs::None), b"'");
    }

    #[test]
    fn a_backslash_that_is_half_a_character_escapes_nothing() {
        assert_eq!(read(b"\x95\\n\\n", true, Pairs::Sjis), b"\x95\\n\n");
        assert_eq!(read(b"\x95\\n\\n", true, Pairs::None), b"\x95\n\n");
    }

    proptest! {
        #[test]
        fn long_and_short_strings_are_read_alike(
            parts in prop::collection::vec("[^']{0,40}|''|\\\\[a-z0-9%_'\"]|\\\\\\\\", 0..40),
            backslash in any::<bool>(),
        ) {
            let allowed = |part: &&String| backslash || *part != "\\'";
            let raw = parts.iter().filter(allowed).cloned().collect::<String>().into_bytes();
            let mut expected = Vec::new();
            let mut at = 0;
            while at < raw.len() {
                let pair = raw[at] == b'\'' || (raw[at] == b'\\' && backslash);
                if pair {
                    let second = raw.get(at + 1).copied();
                    expected.extend_from_slice(pair_meant(raw[at], second, &mut [raw[at]; 2]));
                } else {
                    expected.push(raw[at]);
                }
                at += if pair { 2 } else { 1 };
            }
            prop_assert_eq!(read(&raw, backslash, Pairs::None), expected);
        }
    }
}
