//! A window that moves over the bytes of a dump: the part in memory, where it lies in the file, and on which line.

use std::io::{ErrorKind, Read};

use memchr::memchr_iter;
use xxhash_rust::xxh3::Xxh3;

use super::fault::{Failure, Fault};

/// How many bytes are asked of the reader at once.
const READ: usize = 256 << 10;

/// The bytes from [`Window::keep`] or the current place on stay in memory, those before are forgotten.
pub struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    filled: usize,
    at: usize,
    kept: Option<usize>,
    base: u64,
    counted: usize,
    lines: u64,
    hash: Option<Xxh3>,
    read: usize,
}

impl<R: Read> Window<R> {
    /// A window before the first byte of `reader`, which lies at `base` in the file, on line `line`.
    pub fn new(reader: R, base: u64, line: u64) -> Self {
        Self {
            reader,
            bytes: Vec::new(),
            filled: 0,
            at: 0,
            kept: None,
            base,
            counted: 0,
            lines: line,
            hash: None,
            read: READ,
        }
    }

    /// Asks the reader for so many bytes at once.
    #[must_use]
    pub fn reading(mut self, bytes: usize) -> Self {
        self.read = bytes.clamp(1, READ);
        self
    }

    /// Hashes what is passed from here on, and takes this for line `line`.
    #[must_use]
    pub fn hashing(mut self, line: u64) -> Self {
        (self.counted, self.lines) = (self.at, line);
        self.hash = Some(Xxh3::new());
        self
    }

    /// The hash (128-bit XXH3, in hexadecimal) of everything passed.
    pub fn digest(&mut self) -> Option<String> {
        self.count(self.at);
        self.hash.as_ref().map(|hash| format!("{:032x}", hash.digest128()))
    }

    /// What is in memory from the current place on.
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..self.filled]
    }

    /// Goes on by `count` bytes, which must be in memory.
    #[inline]
    pub fn skip(&mut self, count: usize) {
        self.at += count;
        debug_assert!(self.at <= self.filled);
    }

    /// The current place in the file.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The line of the current place, from 1.
    pub fn line(&mut self) -> u64 {
        self.count(self.at);
        self.lines
    }

    /// Keeps everything from the current place on in memory.
    pub fn keep(&mut self) {
        self.kept = Some(self.at);
    }

    /// Forgets what was kept.
    pub fn release(&mut self) {
        self.kept = None;
    }

    /// What was kept, up to the current place.
    pub fn kept(&self) -> &[u8] {
        &self.bytes[self.kept.unwrap_or(self.at)..self.at]
    }

    /// Bytes between two places in the file, which must be kept.
    ///
    /// # Panics
    /// When they are not.
    pub fn between(&self, start: u64, end: u64) -> &[u8] {
        let place = |offset: u64| usize::try_from(offset - self.base).expect("kept bytes are in memory");
        &self.bytes[place(start)..place(end)]
    }

    /// The current byte, `None` at the end.
    ///
    /// # Errors
    /// As [`Window::more`].
    #[inline]
    pub fn byte(&mut self) -> Result<Option<u8>, Failure> {
        if self.at == self.filled {
            self.more()?;
        }
        Ok(self.rest().first().copied())
    }

    /// What follows, at least `count` bytes if the input has as many.
    ///
    /// # Errors
    /// As [`Window::more`].
    pub fn ahead(&mut self, count: usize) -> Result<&[u8], Failure> {
        while self.filled - self.at < count && self.more()? {}
        Ok(self.rest())
    }

    /// Reads on; false at the end of the input.
    ///
    /// # Errors
    /// A fault when compressed input is damaged or cut, otherwise what the file's reader says.
    #[cold]
    pub fn more(&mut self) -> Result<bool, Failure> {
        self.forget();
        if self.bytes.len() - self.filled < self.read {
            self.bytes.resize((self.filled + self.read).max(self.filled * 2), 0);
        }
        let count = loop {
            match self.reader.read(&mut self.bytes[self.filled..]) {
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) if error.raw_os_error().is_some() => return Err(error.into()),
                Err(error) => {
                    self.at = self.filled;
                    return Err(
                        self.fault(format!("the compressed data is damaged or cut short here: {error}"))
                    );
                }
            }
        };
        self.filled += count;
        Ok(count > 0)
    }

    /// Reads to `offset`, which lies ahead, or to the end of the input.
    ///
    /// # Errors
    /// As [`Window::more`].
    pub fn advance_to(&mut self, offset: u64) -> Result<(), Failure> {
        while self.offset() < offset {
            let ahead = usize::try_from(offset - self.offset()).unwrap_or(usize::MAX);
            self.skip(ahead.min(self.rest().len()));
            if self.byte()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// A fault at the current place.
    pub fn fault(&mut self, what: impl Into<String>) -> Failure {
        Fault { offset: self.offset(), line: self.line(), what: what.into() }.into()
    }

    fn forget(&mut self) {
        let from = self.kept.unwrap_or(self.at);
        // Moving what is kept is worth it only once it makes room for more than is moved.
        if from == 0 || (from < self.filled - from && self.bytes.len() - self.filled >= self.read) {
            return;
        }
        self.count(from);
        self.bytes.copy_within(from..self.filled, 0);
        self.filled -= from;
        self.at -= from;
        self.counted -= from;
        self.base += from as u64;
        self.kept = self.kept.map(|_| 0);
        // A row of 64 MB must not be paid for until the end.
        let most = 8 * self.read;
        if self.bytes.len() > most && self.filled < most / 2 {
            self.bytes.truncate(most);
            self.bytes.shrink_to_fit();
        }
    }

    fn count(&mut self, to: usize) {
        if to > self.counted {
            let passed = &self.bytes[self.counted..to];
            self.lines += memchr_iter(b'\n', passed).count() as u64;
            if let Some(hash) = &mut self.hash {
                hash.update(passed);
            }
            self.counted = to;
        }
    }
}
