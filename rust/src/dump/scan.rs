//! A dump from one statement to the next, in constant memory.

use std::io::Read;
use std::sync::Arc;

use super::charset::{Charset, named};
use super::fault::{Failure, SHOWN, shown};
use super::lexer::{is_line_comment, is_word};
use super::session::Session;
use super::settings::Settings;
use super::statement::{classify, resolve};
use super::tokens::{Token, Tokens};
use super::window::Window;

/// The longest statement that is no INSERT.
const LONGEST: usize = 64 << 20;

/// What is read of an INSERT's beginning may be something else if so few bytes follow in memory.
const SLACK: usize = 16;

/// One statement, or rows of a long INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// `insert`, `create table` and so on.
    pub kind: &'static str,
    /// The database that it is about.
    pub database: Option<String>,
    /// The object that it is about.
    pub table: Option<String>,
    /// Columns that an INSERT names.
    pub columns: Option<Arc<Vec<String>>>,
    /// Where it begins in the decompressed file.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The rows of an INSERT.
    pub rows: u64,
    /// The statement, unless it is an INSERT.
    pub text: Option<String>,
    /// The bytes of the rows, where they are asked for.
    pub data: Option<Vec<u8>>,
    /// The settings it is read with.
    pub settings: Arc<Settings>,
}

/// Of which table the rows that follow are.
#[derive(Clone)]
struct Insert {
    database: Option<String>,
    table: String,
    columns: Option<Arc<Vec<String>>>,
}

/// How an INSERT begins.
enum Head {
    /// Its rows follow after so many bytes.
    Rows(Insert, usize),
    /// It has no rows of values.
    Other,
}

/// What a [`Scan`] is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Statements that begin here or later are left to others.
    pub end: Option<u64>,
    /// A piece of an INSERT ends with the row that reaches so many bytes.
    pub piece_bytes: u64,
    /// Whether pieces bring the bytes of their rows.
    pub with_data: bool,
}

/// A dump once through.
pub struct Scan<R> {
    window: Window<R>,
    options: Options,
    session: Session,
    delimiter: Vec<u8>,
    state: State,
}

enum State {
    /// Before a statement.
    Between,
    /// Before a row.
    Rows(Arc<Insert>),
    /// After the last row of an INSERT.
    Tail,
    Ended,
}

impl<R: Read> Scan<R> {
    /// A scan of what `window` shows, which begins at the start of a statement.
    pub fn new(window: Window<R>, settings: Settings, database: Option<String>, options: Options) -> Self {
        let session = Session::new(settings, database);
        Self { window, options, session, delimiter: b";".to_vec(), state: State::Between }
    }

    /// The session at the current place.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The place in the file, which after the end is the start of the first statement that was left to others.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The current line.
    pub fn line(&mut self) -> u64 {
        self.window.line()
    }

    /// The hash of all that was passed.
    pub fn digest(&mut self) -> Option<String> {
        self.window.digest()
    }

    /// The next piece, `None` after the last.
    ///
    /// # Errors
    /// A fault where this is no dump, or a cut one; what the file's reader says.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Failure> {
        loop {
            match &self.state {
                State::Ended => return Ok(None),
                State::Rows(insert) => {
                    let insert = Arc::clone(insert);
                    return self.rows(&insert).map(Some);
                }
                State::Tail => {
                    self.skip_statement()?;
                    self.skip_delimiter()?;
                    self.state = State::Between;
                }
                State::Between => {
                    if let Some(piece) = self.statement()? {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// What is at the start of a file and no SQL.
    fn begin(&mut self) -> Result<(), Failure> {
        let known = match self.window.ahead(6)? {
            [0xEF, 0xBB, 0xBF, ..] => {
                self.window.skip(3);
                return Ok(());
            }
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
                "UTF-16, as the > of PowerShell writes it: expected UTF-8, dump again with --result-file"
            }
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => "bzip2: expected SQL, or gzip, zstd or xz",
            [b'P', b'K', 3, 4, ..] => "a zip archive: expected SQL, or gzip, zstd or xz",
            _ => return Ok(()),
        };
        Err(self.window.fault(format!("the file is {known}")))
    }

    /// Begins the next statement; the piece, if it is no INSERT.
    fn statement(&mut self) -> Result<Option<Piece>, Failure> {
        if self.window.offset() == 0 {
            self.begin()?;
        }
        let session = &mut self.session;
        self.window.skip_blank(session.server, |comment| session.see(comment))?;
        if self.window.byte()?.is_none() {
            self.state = State::Ended;
            return Ok(None);
        }
        if self.skip_delimiter()? {
            return Ok(None);
        }
        let whole = self.delimiter == b";";
        if whole && self.options.end.is_some_and(|end| self.window.offset() >= end) {
            self.state = State::Ended;
            return Ok(None);
        }
        let ahead = self.window.ahead(16)?;
        let length = ahead.iter().position(|&byte| !is_word(byte)).unwrap_or(ahead.len());
        match ahead[..length].to_ascii_lowercase().as_slice() {
            b"delimiter" => {
                let line = self.window.skip_line()?;
                let delimiter = line[length..].trim_ascii();
                let end = delimiter.iter().position(u8::is_ascii_whitespace).unwrap_or(delimiter.len());
                if end == 0 {
                    return Err(self.window.fault("DELIMITER without a delimiter"));
                }
                self.delimiter = delimiter[..end].to_vec();
                Ok(None)
            }
            b"insert" | b"replace" => self.insert(),
            _ => self.text().map(Some),
        }
    }

    fn insert(&mut self) -> Result<Option<Piece>, Failure> {
        self.session.went_on();
        let mut last = false;
        loop {
            let mut tokens =
                Tokens::new(self.window.rest(), self.session.settings.quoting(), self.session.server);
            let head = self.head(&mut tokens);
            let cut = !last && (tokens.rest.len() < SLACK || tokens.peek().is_none());
            match head {
                _ if cut => {
                    let before = self.window.rest().len();
                    last = before > LONGEST || self.window.ahead((2 * before).max(1024))?.len() == before;
                }
                Head::Rows(insert, length) => {
                    self.window.skip(length);
                    self.state = State::Rows(Arc::new(insert));
                    return Ok(None);
                }
                Head::Other => return self.text().map(Some),
            }
        }
    }

    fn head(&self, tokens: &mut Tokens) -> Head {
        let all = tokens.rest.len();
        tokens.next();
        for modifier in ["low_priority", "delayed", "high_priority", "ignore", "into"] {
            tokens.accept(modifier);
        }
        let Some((database, table)) = tokens.accept_name() else { return Head::Other };
        if tokens.accept("partition") {
            while tokens.peek().is_some() && !tokens.accept_symbol(b')') {
                tokens.next();
            }
        }
        let columns = if tokens.accept_symbol(b'(') {
            let mut columns = Vec::new();
            loop {
                match tokens.next() {
                    None => return Head::Other,
                    Some(Token::Symbol(b')')) => break Some(columns),
                    Some(Token::Symbol(b',')) => (),
                    Some(token) => match token.into_name() {
                        Some(name) => columns.push(self.name(&name)),
                        None => return Head::Other,
                    },
                }
            }
        } else {
            None
        };
        match tokens.next() {
            Some(token) if token.is("values") || token.is("value") => {
                let database =
                    database.map(|name| self.name(&name)).or_else(|| self.session.database.clone());
                let insert = Insert { database, table: self.name(&table), columns: columns.map(Arc::new) };
                Head::Rows(insert, all - tokens.rest.len())
            }
            _ => Head::Other,
        }
    }

    fn rows(&mut self, insert: &Insert) -> Result<Piece, Failure> {
        let quoting = self.session.settings.quoting();
        self.window.skip_blank(self.session.server, |_| None)?;
        let (start, line) = (self.window.offset(), self.window.line());
        if self.options.with_data {
            self.window.keep();
        }
        let mut rows = 0;
        let mut end;
        loop {
            if self.window.byte()? != Some(b'(') {
                let what = match self.window.ahead(SHOWN)? {
                    [] => "the input ends before a row".to_owned(),
                    found => format!("{} found where a row should be", shown(found)),
                };
                return Err(self.window.fault(format!("{what}: expected (")));
            }
            self.window.skip_row(quoting)?;
            rows += 1;
            end = self.window.offset();
            self.window.skip_blank(self.session.server, |_| None)?;
            if self.window.byte()? != Some(b',') {
                self.state = State::Tail;
                break;
            }
            self.window.skip(1);
            if end - start >= self.options.piece_bytes {
                break;
            }
            self.window.skip_blank(self.session.server, |_| None)?;
        }
        let data = self.options.with_data.then(|| self.window.between(start, end).to_vec());
        self.window.release();
        Ok(Piece {
            kind: "insert",
            database: insert.database.clone(),
            table: Some(insert.table.clone()),
            columns: insert.columns.clone(),
            start,
            end,
            line,
            rows,
            text: None,
            data,
            settings: Arc::clone(&self.session.settings),
        })
    }

    fn text(&mut self) -> Result<Piece, Failure> {
        self.window.keep();
        let (start, line) = (self.window.offset(), self.window.line());
        self.skip_statement()?;
        let end = self.window.offset();
        let settings = Arc::clone(&self.session.settings);
        let quoting = settings.quoting();
        let text = resolve(self.window.kept(), quoting, self.session.server);
        self.window.release();
        let statement = classify(Tokens::new(&text, quoting, None));
        self.session.went_on();
        let database = statement.database.map(|name| self.name(&name));
        let name = statement.name.map(|name| self.name(&name));
        match statement.kind {
            "use" => self.session.database.clone_from(&name),
            "set" => {
                let mut tokens = Tokens::new(&text, quoting, None);
                tokens.next();
                if let Err(what) = self.session.set(&mut tokens) {
                    return Err(super::fault::Fault { offset: start, line, what }.into());
                }
            }
            _ => (),
        }
        self.skip_delimiter()?;
        let of_database = matches!(statement.kind, "use" | "create database");
        Ok(Piece {
            kind: statement.kind,
            database: if of_database {
                name.clone()
            } else {
                database.or_else(|| self.session.database.clone())
            },
            table: name.filter(|_| !of_database),
            columns: None,
            start,
            end,
            line,
            rows: 0,
            text: Some(decode(&text, &settings.charset)),
            data: None,
            settings,
        })
    }

    /// Passes over the rest of a statement, up to its delimiter.
    fn skip_statement(&mut self) -> Result<(), Failure> {
        let quoting = self.session.settings.quoting();
        let (offset, line) = (self.window.offset(), self.window.line());
        let first = self.delimiter[0];
        loop {
            let rest = self.window.rest();
            let plain =
                |&byte: &u8| byte != first && !matches!(byte, b'\'' | b'"' | b'`' | b'#' | b'-' | b'/');
            let length = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
            self.window.skip(length);
            if self.window.offset() - offset > LONGEST as u64 {
                return Err(self.window.fault(format!(
                    "the statement that begins on line {line}, byte {offset}, has more than {LONGEST} bytes: \
                     expected its delimiter before"
                )));
            }
            let Some(byte) = self.window.byte()? else {
                let delimiter = String::from_utf8_lossy(&self.delimiter).into_owned();
                return Err(self.window.fault(format!(
                    "the input ends inside a statement that begins on line {line}, byte {offset}: expected {delimiter}"
                )));
            };
            if byte == first && self.window.ahead(self.delimiter.len())?.starts_with(&self.delimiter) {
                return Ok(());
            }
            match byte {
                b'\'' | b'"' | b'`' => self.window.skip_quoted(quoting)?,
                b'#' | b'-' if is_line_comment(self.window.ahead(3)?) => _ = self.window.skip_line()?,
                b'/' => {
                    let rest = self.window.ahead(4)?;
                    let comment =
                        rest.starts_with(b"/*") && !matches!(rest, [_, _, b'!', ..] | [_, _, b'M', b'!', ..]);
                    if comment { self.window.skip_comment(false)? } else { self.window.skip(1) }
                }
                _ => self.window.skip(1),
            }
        }
    }

    fn skip_delimiter(&mut self) -> Result<bool, Failure> {
        let found = self.window.ahead(self.delimiter.len())?.starts_with(&self.delimiter);
        if found {
            self.window.skip(self.delimiter.len());
        }
        Ok(found)
    }

    fn name(&self, name: &[u8]) -> String {
        decode(name, &self.session.settings.charset)
    }
}

fn decode(text: &[u8], charset: &str) -> String {
    let decoded = named(charset).unwrap_or(Charset::Utf8).decode(text).map(std::borrow::Cow::into_owned);
    decoded.unwrap_or_else(|| String::from_utf8_lossy(text).into_owned())
}
