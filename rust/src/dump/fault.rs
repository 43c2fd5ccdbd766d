//! Why a dump cannot be read, and where.

use std::io;

/// A place in the decompressed bytes of a dump that is not what its grammar asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, byte {offset}: {what}")]
pub struct Fault {
    /// The byte, from 0.
    pub offset: u64,
    /// Its line, from 1.
    pub line: u64,
    /// What is there, and what was expected.
    pub what: String,
}

/// Everything that ends the reading of a dump.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The dump is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Of how many bytes [`shown`] makes its text.
pub const SHOWN: usize = 25;

/// Some bytes of a dump as a message shows them.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let text = bytes[..bytes.len().min(SHOWN - 1)].escape_ascii();
    if bytes.len() >= SHOWN { format!("`{text}...`") } else { format!("`{text}`") }
}
