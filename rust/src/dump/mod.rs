//! Dump files as `mysqldump`, `mariadb-dump`, mydumper and phpMyAdmin write them: bytes to statements, rows to columns.
//!
//! [`scan`] goes through a file once, statement by statement, without looking into rows; [`rows`] looks into them. Both
//! share the lexing of quoted strings ([`quoted`]). Nothing here knows Python, and only [`columns`] knows Arrow.

pub mod charset;
pub mod columns;
pub mod fault;
pub mod file;
pub mod input;
pub mod lexer;
pub mod literal;
pub mod quoted;
pub mod rows;
pub mod scan;
pub mod session;
pub mod settings;
pub mod split;
pub mod statement;
pub mod tokens;
pub mod unescape;
pub mod version;
pub mod window;

#[cfg(test)]
mod tests;
