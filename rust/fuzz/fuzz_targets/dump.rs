//! Any bytes as a dump: nothing panics; rows are those that a slow reader of one byte at a time finds; and a scan finds
//! the same rows whatever the sizes of its reads and pieces.

#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;

// Its source and not its crate, which takes Python and Arrow to build.
#[allow(dead_code)]
#[path = "../../src/dump"]
mod dump {
    pub mod charset;
    pub mod fault;
    pub mod lexer;
    pub mod literal;
    pub mod quoted;
    pub mod rows;
    pub mod scan;
    pub mod session;
    pub mod settings;
    pub mod statement;
    pub mod tokens;
    pub mod unescape;
    pub mod version;
    pub mod window;
}
#[path = "../oracle.rs"]
mod oracle;

use dump::literal::{Literal, Value, unbit, unhex};
use dump::rows::{Rows, Sink};
use dump::scan::{Options, Piece, Scan};
use dump::settings::{Quoting, Settings};
use dump::window::Window;
use oracle::Cell;

/// Reads as much at once as its sizes say, again and again.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(out.len()).min(self.1);
        let (now, later) = self.0.split_at(count);
        out[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

struct Cells(Vec<Cell>, Quoting);

impl Sink for Cells {
    fn take(&mut self, _: usize, value: &Value) -> Result<(), String> {
        let mut bytes = Vec::new();
        let digit = |digit: u8| digit.to_string();
        match value.literal {
            Literal::Null => return Ok(self.0.push(Cell::Null)),
            Literal::Default => return Err("DEFAULT".into()),
            Literal::Number(text) => bytes.extend_from_slice(text),
            Literal::Text(text) => text.unescape(self.1, &mut bytes),
            Literal::Hex(digits) => unhex(digits, &mut bytes).map_err(digit)?,
            Literal::Bits(digits) => unbit(digits, &mut bytes).map_err(digit)?,
        }
        Ok(self.0.push(Cell::Bytes(bytes)))
    }
}

fn rows(data: &[u8], fields: usize, settings: &Settings) -> Option<Vec<Vec<Cell>>> {
    let mut walk = Rows::new(0, 1, fields, settings);
    let mut rows = Vec::new();
    loop {
        let mut cells = Cells(Vec::new(), settings.quoting());
        match walk.next_row(data, &mut cells) {
            Ok(true) => rows.push(cells.0),
            Ok(false) => return Some(rows),
            Err(fault) => {
                assert!(fault.offset <= data.len() as u64 && fault.line >= 1);
                return None;
            }
        }
    }
}

/// All pieces, with what the bytes of neighbouring ones of one INSERT have in common put together.
fn scan(text: &[u8], step: usize, piece_bytes: u64, settings: &Settings) -> (Vec<Piece>, Option<String>, String) {
    let window = Window::new(Slow(text, step), 0, 1).reading(step.clamp(1, 4096)).hashing(1);
    let options = Options { end: None, piece_bytes, with_data: true };
    let mut scan = Scan::new(window, settings.clone(), None, options);
    let mut pieces: Vec<Piece> = Vec::new();
    let fault = loop {
        match scan.next_piece() {
            Ok(Some(piece)) => {
                assert!(piece.start <= piece.end && piece.end <= text.len() as u64);
                let lines = text[..piece.start as usize].iter().filter(|&&byte| byte == b'\n').count();
                assert_eq!(piece.line, 1 + lines as u64);
                if let Some(data) = &piece.data {
                    assert_eq!(data, &text[piece.start as usize..piece.end as usize]);
                }
                pieces.push(piece);
            }
            Ok(None) => break None,
            Err(fault) => break Some(fault.to_string()),
        }
    };
    (pieces, fault, scan.digest().unwrap())
}

fn joined(pieces: &[Piece], settings: &Settings) -> Vec<(String, u64, Option<Vec<Vec<Cell>>>)> {
    let one = |piece: &Piece| {
        let cells = piece.data.as_ref().map(|data| rows(data, 2, settings));
        (format!("{:?}", (piece.kind, &piece.database, &piece.table, &piece.text, &piece.columns)), piece.rows, cells.flatten())
    };
    pieces.iter().map(one).collect()
}

fuzz_target!(|input: &[u8]| {
    let [flags, step, text @ ..] = input else { return };
    let settings = Settings {
        no_backslash_escapes: flags & 1 != 0,
        ansi_quotes: flags & 2 != 0,
        charset: ["utf8mb4", "latin1", "sjis", "binary"][usize::from(flags >> 2 & 3)].into(),
        time_zone: None,
        server: [None, Some("5.6.51"), Some("8.0.36"), Some("10.11.2-MariaDB")][usize::from(flags >> 4 & 3)]
            .map(str::to_owned),
    };
    for fields in 1..3 {
        let found = rows(text, fields, &settings);
        let expected = oracle::rows(text, fields, &settings.quoting(), settings.charset == "sjis");
        // What the oracle does not read: words, comments and neighbouring strings.
        if let Some(expected) = expected {
            assert_eq!(found.as_ref(), Some(&expected));
        }
    }
    let (whole, fault, digest) = scan(text, usize::MAX >> 1, u64::MAX, &settings);
    let (other, same_fault, same_digest) = scan(text, usize::from(*step) + 1, u64::MAX, &settings);
    assert_eq!((&whole, &fault, digest), (&other, &same_fault, same_digest));
    // Single rows, put together, are the rows of the whole.
    let (single, single_fault, _) = scan(text, usize::from(*step) + 1, 1, &settings);
    if fault.is_none() {
        assert_eq!(single_fault, None);
        let count = |pieces: &[Piece]| pieces.iter().map(|piece| piece.rows).sum::<u64>();
        assert_eq!(count(&whole), count(&single));
        let [whole, single] = [&whole, &single].map(|pieces| joined(pieces, &settings));
        let mut parts = single.into_iter().peekable();
        for (kind, count, cells) in whole {
            let mut gathered = Vec::new();
            let (mut seen, mut readable) = (0, true);
            loop {
                let (part_kind, part_count, part_cells) = parts.next().expect("a piece for each row");
                assert_eq!(part_kind, kind);
                seen += part_count;
                match part_cells {
                    Some(cells) => gathered.extend(cells),
                    None => readable = false,
                }
                if seen == count {
                    break;
                }
            }
            match cells {
                Some(cells) => assert_eq!(gathered, cells),
                None => assert!(!readable || count == 0),
            }
        }
        assert!(parts.next().is_none());
    }
});
