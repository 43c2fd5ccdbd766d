//! What a statement is, and of what.

use memchr::{memchr, memmem};

use super::lexer::is_line_comment;
use super::quoted::Quoted;
use super::settings::Quoting;
use super::tokens::{Token, Tokens};
use super::version::{Opening, Server, opening};

/// Kind and object of a statement that is no INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// As `DumpPiece.kind` tells it.
    pub kind: &'static str,
    /// The qualifier of the object's name.
    pub database: Option<Vec<u8>>,
    /// The object's name: of a table, a view, a trigger.
    pub name: Option<Vec<u8>>,
}

/// Objects of CREATE, and the kind of statement that makes them.
const CREATES: [(&str, &str); 10] = [
    ("table", "create table"),
    ("view", "create view"),
    ("trigger", "create trigger"),
    ("procedure", "create procedure"),
    ("function", "create function"),
    ("event", "create event"),
    ("database", "create database"),
    ("schema", "create database"),
    ("sequence", "create sequence"),
    ("index", "create index"),
];

/// Tells what the statement of these tokens is.
#[must_use]
pub fn classify(mut tokens: Tokens) -> Statement {
    let of = |kind| Statement { kind, database: None, name: None };
    let Some(Token::Word(first)) = tokens.next() else { return of("other") };
    match first.to_ascii_lowercase().as_slice() {
        b"create" => created(&mut tokens),
        b"alter" => {
            let (_, _) = (tokens.accept("online"), tokens.accept("ignore"));
            if tokens.accept("table") { named("alter table", &mut tokens) } else { of("other") }
        }
        b"drop" => {
            tokens.next();
            named("drop", &mut tokens)
        }
        b"use" => named("use", &mut tokens),
        b"set" => of("set"),
        b"lock" | b"unlock" => of("lock"),
        _ => of("other"),
    }
}

fn created(tokens: &mut Tokens) -> Statement {
    while let Some(token) = tokens.next() {
        // What stands before it: OR REPLACE, TEMPORARY, DEFINER=..., ALGORITHM=..., UNIQUE.
        if token == Token::Symbol(b'=') {
            tokens.next();
            while tokens.accept_symbol(b'@') {
                tokens.next();
            }
        } else if let Some((_, kind)) = CREATES.iter().find(|(object, _)| token.is(object)) {
            return named(kind, tokens);
        } else if !matches!(token, Token::Word(_)) {
            break;
        }
    }
    Statement { kind: "other", database: None, name: None }
}

fn named(kind: &'static str, tokens: &mut Tokens) -> Statement {
    if tokens.accept("if") {
        let (_, _) = (tokens.accept("not"), tokens.accept("exists"));
    }
    let (database, name) = tokens.accept_name().unzip();
    Statement { kind, database: database.flatten(), name }
}

/// A statement as `server` sees it: of conditional comments it executes what they hold, and no more than a space is
/// left of those it does not.
#[must_use]
pub fn resolve(text: &[u8], quoting: Quoting, server: Option<Server>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut at, mut inside) = (0, false);
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest {
            [quote @ (b'\'' | b'"' | b'`'), ..] => {
                let length = Quoted::new(*quote, quoting).advance(&rest[1..]);
                length.map_or(rest.len(), |length| length + 1)
            }
            [b'#' | b'-', ..] if is_line_comment(rest) => memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => match opening(rest, server) {
                Opening::Plain => memmem::find(&rest[2..], b"*/").map_or(rest.len(), |length| length + 4),
                Opening::Executed(length) => {
                    out.push(b' ');
                    inside = true;
                    at += length;
                    continue;
                }
                Opening::Skipped => {
                    out.push(b' ');
                    at += skipped(rest).unwrap_or(rest.len());
                    continue;
                }
            },
            [b'*', b'/', ..] if inside => {
                inside = false;
                at += 2;
                continue;
            }
            _ => 1,
        };
        out.extend_from_slice(&rest[..length]);
        at += length;
    }
    let start = out.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(out.len());
    let end = out.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(start, |last| last + 1);
    out[start..end].to_vec()
}

/// The length of a comment in which another one may lie; `None` if the text cuts it.
#[must_use]
pub fn skipped(text: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        let rest = text.get(at..)?;
        let end = memmem::find(rest, b"*/")?;
        let Some(inner) = memmem::find(&rest[..end], b"/*") else { return Some(at + end + 2) };
        at += inner + 4 + memmem::find(&rest[inner + 2..], b"*/")?;
    }
}
