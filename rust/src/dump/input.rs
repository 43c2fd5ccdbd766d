//! Files that hold a dump, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;

/// How much compressed data is read at once.
const READ: usize = 128 << 10;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, members one after the other.
    Gzip,
    /// RFC 8878, frames one after the other.
    Zstd,
    /// xz, streams one after the other.
    Xz,
}

impl Compression {
    /// Its usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    fn of(start: &[u8]) -> Self {
        match start {
            [0x1F, 0x8B, ..] => Self::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Self::Zstd,
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

/// Bytes that come decompressed.
pub type Stream = Box<dyn Read + Send>;

/// Opens a file and looks how it is compressed.
///
/// # Errors
/// What the system says.
pub fn probe(path: &Path) -> io::Result<(File, Compression)> {
    let mut file = File::open(path)?;
    let start = start_of(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok((file, Compression::of(&start)))
}

/// Opens a file, or a pipe, and decompresses it as it is read, from byte `start` on where it is not compressed.
///
/// # Errors
/// What the system says, or a decoder that cannot begin.
pub fn open(path: &Path, start: u64) -> io::Result<(Stream, Compression, u64)> {
    let mut file = File::open(path)?;
    let begin = start_of(&mut file)?;
    let compression = Compression::of(&begin);
    if compression == Compression::None && start > 0 {
        file.seek(SeekFrom::Start(start))?;
        return Ok((Box::new(file), compression, start));
    }
    let whole = Cursor::new(begin).chain(file);
    let stream: Stream = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ, whole))),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(READ, whole))?;
            // What `zstd --long=31` writes must be readable, too.
            decoder.window_log_max(31)?;
            Box::new(decoder)
        }
        Compression::Xz => Box::new(XzDecoder::new_multi_decoder(BufReader::with_capacity(READ, whole))),
    };
    Ok((stream, compression, 0))
}

fn start_of(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(6).read_to_end(&mut start)?;
    Ok(start)
}
