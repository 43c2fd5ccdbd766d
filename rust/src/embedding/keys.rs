//! The keys of an object: which one is likely next, and which ones have been.

/// Keys from here on are refused when they are met, which bounds what is remembered of a row.
pub const LIMIT: usize = 1 << 16;

/// The key that follows the last one, as the text `"<key>":` in one word.
pub struct Successor {
    key: usize,
    word: u64,
    mask: u64,
    length: usize,
}

impl Successor {
    /// The successor of nothing: key 0.
    #[inline]
    pub fn first() -> Self {
        Self::of(0)
    }

    /// Starts over at `key`, which is at most `LIMIT`, so its text fills at most the eight bytes of a word.
    pub fn of(key: usize) -> Self {
        let mut bytes = [0; 8];
        let mut length = 2;
        let mut rest = key;
        bytes[..2].copy_from_slice(b"\":");
        loop {
            bytes.copy_within(0..length, 1);
            #[expect(clippy::cast_possible_truncation, reason = "one decimal digit")]
            let digit = (rest % 10) as u8;
            bytes[0] = b'0' + digit;
            length += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        bytes.copy_within(0..length, 1);
        bytes[0] = b'"';
        length += 1;
        Self {
            key,
            word: u64::from_le_bytes(bytes),
            mask: u64::MAX >> (64 - 8 * length),
            length,
        }
    }

    /// The key and the length of its text if `text` starts with it; its own successor is then awaited.
    #[inline]
    pub fn take(&mut self, text: &[u8; 8]) -> Option<(usize, usize)> {
        if (u64::from_le_bytes(*text) ^ self.word) & self.mask != 0 {
            return None;
        }
        let taken = (self.key, self.length);
        // The last digit counts up inside the word; a carry has it written anew.
        let last = 8 * (self.length - 3);
        if (self.word >> last) & 0xFF == u64::from(b'9') {
            *self = Self::of(self.key + 1);
        } else {
            self.word += 1 << last;
            self.key += 1;
        }
        Some(taken)
    }
}

/// The keys of one object. Memory is bounded by `LIMIT`, and none is touched while they come in order.
pub struct Keys<'a> {
    seen: &'a mut Bitmap,
    scattered: bool,
    count: usize,
    end: usize,
}

impl<'a> Keys<'a> {
    #[inline]
    pub fn new(seen: &'a mut Bitmap) -> Self {
        Self {
            seen,
            scattered: false,
            count: 0,
            end: 0,
        }
    }

    /// Notes `key`, below `LIMIT`. False if it was there already.
    #[inline]
    pub fn insert(&mut self, key: usize) -> bool {
        if key == self.count && !self.scattered {
            self.count += 1;
            self.end += 1;
            return true;
        }
        self.insert_scattered(key)
    }

    fn insert_scattered(&mut self, key: usize) -> bool {
        if !self.scattered {
            self.scattered = true;
            self.seen.reset_to(self.count);
        }
        let new = self.seen.insert(key);
        self.count += usize::from(new);
        self.end = self.end.max(key + 1);
        new
    }

    /// The number of keys from 0 on if they are all there, else the first one missing and the highest one.
    pub fn extent(&self) -> Result<usize, Gap> {
        if self.count == self.end {
            return Ok(self.count);
        }
        Err(Gap {
            missing: self.seen.first_absent(),
            highest: self.end - 1,
        })
    }
}

/// Keys that are not 0 to n - 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    pub missing: usize,
    pub highest: usize,
}

/// One bit for each key below `LIMIT`: 8 KiB.
pub struct Bitmap(Box<[u64; LIMIT / 64]>);

impl Bitmap {
    pub fn new() -> Self {
        Self(Box::new([0; LIMIT / 64]))
    }

    /// Holds 0 to `count` - 1 and nothing else.
    fn reset_to(&mut self, count: usize) {
        self.0.fill(0);
        self.0[..count / 64].fill(u64::MAX);
        if !count.is_multiple_of(64) {
            self.0[count / 64] = (1 << (count % 64)) - 1;
        }
    }

    fn insert(&mut self, key: usize) -> bool {
        let (word, bit) = (&mut self.0[key / 64], 1 << (key % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn first_absent(&self) -> usize {
        let full = self.0.iter().take_while(|&&word| word == u64::MAX).count();
        full * 64 + self.0.get(full).map_or(0, |word| word.trailing_ones() as usize)
    }
}

/// The key that `text` spells canonically: decimal digits, no sign, no leading zero. `None` for anything
/// else, escapes included.
pub fn canonical(text: &[u8]) -> Option<usize> {
    let leading_zero = text.len() > 1 && text[0] == b'0';
    if text.is_empty() || leading_zero || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |key: usize, digit: &u8| key.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
    Some(text.iter().fold(0, append))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_successor_is_taken_in_turn() {
        let mut successor = Successor::first();
        for key in 0..=LIMIT {
            let text = format!("\"{key}\":");
            let mut bytes = *b"........";
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            let mut other = bytes;
            other[text.len() - 1] = b' ';
            assert_eq!(successor.take(&other), None);
            assert_eq!(successor.take(&bytes), Some((key, text.len())));
        }
    }

    #[test]
    fn keys_in_any_order_have_an_extent() {
        let mut seen = Bitmap::new();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [0, 2, 1, 3]] {
            let mut keys = Keys::new(&mut seen);
            assert!(order.into_iter().all(|key| keys.insert(key)));
            assert_eq!(keys.extent(), Ok(4));
        }
    }

    #[test]
    fn a_key_twice_is_noticed_in_and_out_of_order() {
        let mut seen = Bitmap::new();
        let mut keys = Keys::new(&mut seen);
        assert!(keys.insert(0) && keys.insert(1) && !keys.insert(0));
        let mut keys = Keys::new(&mut seen);
        assert!(keys.insert(9) && keys.insert(0) && !keys.insert(9) && keys.insert(1));
    }

    #[test]
    fn the_first_gap_and_the_highest_key_are_named() {
        let mut seen = Bitmap::new();
        let mut keys = Keys::new(&mut seen);
        for key in (0..200).filter(|key| *key != 130 && *key != 150) {
            assert!(keys.insert(key));
        }
        assert_eq!(
            keys.extent(),
            Err(Gap {
                missing: 130,
                highest: 199
            })
        );
        let mut keys = Keys::new(&mut seen);
        assert!(keys.insert(LIMIT - 1));
        assert_eq!(
            keys.extent(),
            Err(Gap {
                missing: 0,
                highest: LIMIT - 1
            })
        );
    }

    #[test]
    fn all_keys_fit() {
        let mut seen = Bitmap::new();
        let mut keys = Keys::new(&mut seen);
        assert!((0..LIMIT).rev().all(|key| keys.insert(key)));
        assert_eq!(keys.extent(), Ok(LIMIT));
    }

    #[test]
    fn only_canonical_integers_are_keys() {
        for (text, key) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("65536", Some(65_536)),
            ("01", None),
            ("00", None),
        ] {
            assert_eq!(canonical(text.as_bytes()), key);
        }
        for text in ["", "-1", "+1", "1.0", "a", " 1", "\\u0031", "١"] {
            assert_eq!(canonical(text.as_bytes()), None);
        }
        assert_eq!(canonical(b"99999999999999999999999999"), Some(usize::MAX));
    }
}
