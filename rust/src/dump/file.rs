//! A dump read at any place, compressed or not, by several threads.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::input::{Compression, Stream, open, probe};

/// Decompressed bytes that stay in memory, so that threads need not come in the order of the file.
const KEPT: usize = 32 << 20;

/// The decompressed bytes are passed over in steps of this size.
const STEP: usize = 1 << 20;

/// A file and the way to its decompressed bytes.
pub struct DumpFile {
    /// How the file is compressed.
    pub compression: Compression,
    path: PathBuf,
    plain: File,
    forward: Mutex<Option<Forward>>,
}

struct Forward {
    stream: Stream,
    passed: u64,
    blocks: VecDeque<(u64, Vec<u8>)>,
    kept: usize,
}

impl DumpFile {
    /// Opens a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (plain, compression) = probe(path)?;
        Ok(Self { compression, path: path.to_owned(), plain, forward: Mutex::new(None) })
    }

    /// Fills `out` with the bytes from `start` on.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` when the file ends before.
    pub fn read(&self, start: u64, out: &mut [u8]) -> io::Result<()> {
        if self.compression == Compression::None {
            return self.plain.read_exact_at(out, start);
        }
        let mut forward = self.forward.lock().unwrap_or_else(PoisonError::into_inner);
        let reachable = forward.as_ref().is_some_and(|forward| forward.first() <= start);
        if !reachable {
            *forward = None;
            let (stream, _, _) = open(&self.path, 0)?;
            *forward = Some(Forward { stream, passed: 0, blocks: VecDeque::new(), kept: 0 });
        }
        let result = forward.as_mut().map_or(Ok(()), |forward| forward.read(start, out));
        if result.is_err() {
            *forward = None;
        }
        result
    }
}

impl Forward {
    /// The first byte that is still in memory, or can still be read.
    fn first(&self) -> u64 {
        self.blocks.front().map_or(self.passed, |(offset, _)| *offset)
    }

    fn read(&mut self, start: u64, out: &mut [u8]) -> io::Result<()> {
        let end = start + out.len() as u64;
        for (offset, block) in &self.blocks {
            copy(*offset, block, start, out);
        }
        while self.passed < end {
            let mut block = Vec::with_capacity(STEP);
            let count = (&mut self.stream).take(STEP as u64).read_to_end(&mut block)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            copy(self.passed, &block, start, out);
            self.kept += count;
            self.blocks.push_back((self.passed, block));
            self.passed += count as u64;
            while self.kept > KEPT
                && let Some((_, block)) = self.blocks.pop_front()
            {
                self.kept -= block.len();
            }
        }
        Ok(())
    }
}

/// Copies what of `block`, which lies at `offset`, belongs to `out`, which begins at `start`.
fn copy(offset: u64, block: &[u8], start: u64, out: &mut [u8]) {
    let from = start.max(offset);
    let to = (start + out.len() as u64).min(offset + block.len() as u64);
    if from < to {
        let [source, target] = [offset, start]
            .map(|base| usize::try_from(from - base).unwrap_or(0)..usize::try_from(to - base).unwrap_or(0));
        out[target].copy_from_slice(&block[source]);
    }
}
