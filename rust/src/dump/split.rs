//! Where a plain file may be cut, so that several scans go through it at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem;

use super::input::{Compression, probe};

/// What begins a statement in the dumps that are known. In a string a line rarely ends, and with a semicolon.
const STARTS: [&[u8]; 7] = [
    b"INSERT ",
    b"REPLACE ",
    b"LOCK TABLES ",
    b"UNLOCK TABLES",
    b"DROP TABLE ",
    b"CREATE TABLE ",
    b"/*!40000 ALTER ",
];

/// The bytes that are read at once.
const READ: u64 = 1 << 20;

/// The longest of [`STARTS`], and the line's end before.
const OVERLAP: usize = 24;

/// Guesses at starts of statements that cut a file into about `parts` parts; fewer where none is found, none in a
/// compressed file. A scan that ends at a guess tells by where it ends whether a statement does begin there.
///
/// # Errors
/// What the system says.
pub fn split_points(path: &Path, parts: u64) -> io::Result<Vec<u64>> {
    let (file, compression) = probe(path)?;
    let size = file.metadata()?.len();
    let mut points = Vec::new();
    if compression != Compression::None {
        return Ok(points);
    }
    for part in 1..parts {
        let [from, to] = [part, part + 1].map(|part| size / parts * part);
        if let Some(point) = first_start(&file, from, to)? {
            points.push(point);
        }
    }
    Ok(points)
}

fn first_start(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut block = vec![0; usize::try_from(READ).unwrap_or(usize::MAX) + OVERLAP];
    for base in (from..to).step_by(1 << 20) {
        let length = read(file, &mut block, base)?;
        let text = &block[..length];
        for end in memmem::find_iter(text, b";") {
            let line = match &text[end + 1..] {
                [b'\n', ..] => end + 2,
                [b'\r', b'\n', ..] => end + 3,
                _ => continue,
            };
            if base + (line as u64) < to && STARTS.iter().any(|start| text[line..].starts_with(start)) {
                return Ok(Some(base + line as u64));
            }
        }
    }
    Ok(None)
}

fn read(file: &File, block: &mut [u8], base: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read_at(&mut block[length..], base + length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
