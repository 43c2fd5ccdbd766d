//! The keys of an object: the one that follows the last, and which ones have been.

use super::cursor::Cursor;

/// Keys from here on are refused when they are met, which bounds what is remembered of a row.
pub const LIMIT: usize = 1 << 16;

/// The keys 0, 1, 2 and so on, each as the text `"<key>":` in one word to compare with.
pub struct Successor {
    key: usize,
    word: u64,
    mask: u64,
    length: usize,
    /// What makes the word the next key's, and for how many keys it does before there is a carry.
    step: u64,
    left: usize,
}

impl Successor {
    /// The successor of nothing: key 0.
    #[inline]
    pub fn first() -> Self {
        Self::of_tens(0)
    }

    /// Awaits `key`, which ends in 0.
    fn of_tens(key: usize) -> Self {
        let mut word = u64::from(b'"') | u64::from(b':') << 8;
        let mut length = 3;
        let mut rest = key as u64;
        loop {
            word = (word << 8) | (u64::from(b'0') + rest % 10);
            length += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let left = (LIMIT - key).min(10);
        Self {
            key,
            word: word << 8 | u64::from(b'"'),
            mask: u64::MAX >> (64 - 8 * length),
            length,
            step: 1 << (8 * (length - 3)),
            left,
        }
    }

    /// The key now awaited.
    pub fn key(&self) -> usize {
        self.key
    }

    /// Takes the key awaited with its colon, if it is what comes, and awaits the next.
    #[inline(always)]
    pub fn take(&mut self, cursor: &mut Cursor) -> Option<usize> {
        let text = cursor.window()?;
        if (u64::from_le_bytes(*text) ^ self.word) & self.mask != 0 || self.left == 0 {
            return None;
        }
        cursor.advance(self.length);
        let key = self.key;
        self.key += 1;
        self.word = self.word.wrapping_add(self.step);
        self.left -= 1;
        if self.left == 0 && self.key < LIMIT {
            *self = Self::of_tens(self.key);
        }
        Some(key)
    }
}

/// Which keys an object has, in 8 KiB: one bit for each key below `LIMIT`.
pub struct Keys {
    seen: Box<[u64; LIMIT / 64]>,
    count: usize,
    end: usize,
}

/// Keys that are not 0 to n - 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    pub missing: usize,
    pub highest: usize,
}

impl Keys {
    pub fn new() -> Self {
        Self { seen: Box::new([0; LIMIT / 64]), count: 0, end: 0 }
    }

    /// Forgets all and notes 0 to `count` - 1.
    pub fn reset_to(&mut self, count: usize) {
        let (full, rest) = (count / 64, count % 64);
        self.seen.fill(0);
        self.seen[..full].fill(u64::MAX);
        if rest > 0 {
            self.seen[full] = (1 << rest) - 1;
        }
        (self.count, self.end) = (count, count);
    }

    /// Notes `key`, below `LIMIT`. False if it was there already.
    pub fn insert(&mut self, key: usize) -> bool {
        let (word, bit) = (&mut self.seen[key / 64], 1 << (key % 64));
        let new = *word & bit == 0;
        *word |= bit;
        self.count += usize::from(new);
        self.end = self.end.max(key + 1);
        new
    }

    /// The number of keys if they are 0 to n - 1, else the first one missing and the highest one.
    pub fn extent(&self) -> Result<usize, Gap> {
        if self.count == self.end {
            return Ok(self.count);
        }
        let full = self.seen.iter().take_while(|&&word| word == u64::MAX).count();
        let missing = full * 64 + self.seen.get(full).map_or(0, |word| word.trailing_ones() as usize);
        Err(Gap { missing, highest: self.end - 1 })
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
        for key in 0..LIMIT {
            assert_eq!(successor.key(), key);
            let text = format!("\"{key}\":");
            let other = format!("\"{key}\" :-0.5");
            assert_eq!(successor.take(&mut Cursor::new(other.as_bytes())), None);
            let padded = format!("{text}........");
            let mut cursor = Cursor::new(padded.as_bytes());
            assert_eq!(successor.take(&mut cursor), Some(key));
            assert_eq!(cursor.offset(), text.len());
        }
        assert_eq!(successor.take(&mut Cursor::new(b"\"65536\":0.5")), None);
    }

    fn keys_from(count: usize, more: impl IntoIterator<Item = usize>) -> Keys {
        let mut keys = Keys::new();
        assert!(keys.insert(LIMIT - 1));
        keys.reset_to(count);
        assert!(more.into_iter().all(|key| keys.insert(key)));
        keys
    }

    #[test]
    fn keys_in_any_order_have_an_extent() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [0, 2, 1, 3]] {
            assert_eq!(keys_from(0, order).extent(), Ok(4));
        }
        assert_eq!(keys_from(70, [71, 70]).extent(), Ok(72));
        assert_eq!(keys_from(128, []).extent(), Ok(128));
        assert_eq!(keys_from(0, (0..LIMIT).rev()).extent(), Ok(LIMIT));
    }

    #[test]
    fn a_key_twice_is_noticed() {
        let mut keys = keys_from(65, [9_000]);
        assert!(!keys.insert(0) && !keys.insert(64) && !keys.insert(9_000) && keys.insert(65));
    }

    #[test]
    fn the_first_gap_and_the_highest_key_are_named() {
        let keys = keys_from(0, (0..200).filter(|key| *key != 130 && *key != 150));
        assert_eq!(keys.extent(), Err(Gap { missing: 130, highest: 199 }));
        assert_eq!(keys_from(128, [200]).extent(), Err(Gap { missing: 128, highest: 200 }));
        assert_eq!(keys_from(0, [LIMIT - 1]).extent(), Err(Gap { missing: 0, highest: LIMIT - 1 }));
    }

    #[test]
    fn only_canonical_integers_are_keys() {
        for (text, key) in
            [("0", Some(0)), ("10", Some(10)), ("65536", Some(65_536)), ("01", None), ("00", None)]
        {
            assert_eq!(canonical(text.as_bytes()), key);
        }
        for text in ["", "-1", "+1", "1.0", "a", " 1", "\\u0031", "١"] {
            assert_eq!(canonical(text.as_bytes()), None);
        }
        assert_eq!(canonical(b"99999999999999999999999999"), Some(usize::MAX));
    }
}
