//! What of a session's settings changes how the statements of a dump are read.

use super::charset::Pairs;

/// How strings and names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoting {
    /// Whether a backslash escapes the byte after it.
    pub backslash: bool,
    /// Whether double quotes enclose names.
    pub ansi: bool,
    /// Characters that may hide a backslash.
    pub pairs: Pairs,
}

/// The settings in force at one place of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// `NO_BACKSLASH_ESCAPES` of `sql_mode`: a backslash in a string is one.
    pub no_backslash_escapes: bool,
    /// `ANSI_QUOTES` of `sql_mode`: double quotes enclose names, not strings.
    pub ansi_quotes: bool,
    /// `character_set_client`, in lower case.
    pub charset: String,
    /// `time_zone`, where the dump sets it.
    pub time_zone: Option<String>,
    /// The version of the dumped server as the dump's header gives it.
    pub server: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            no_backslash_escapes: false,
            ansi_quotes: false,
            charset: "utf8mb4".into(),
            time_zone: None,
            server: None,
        }
    }
}

impl Settings {
    /// How strings and names are written under these settings.
    #[must_use]
    pub fn quoting(&self) -> Quoting {
        Quoting {
            backslash: !self.no_backslash_escapes,
            ansi: self.ansi_quotes,
            pairs: Pairs::of(&self.charset),
        }
    }

    /// Takes over what `other` has of `sql_mode`.
    pub fn copy_sql_mode(&mut self, other: &Self) {
        self.no_backslash_escapes = other.no_backslash_escapes;
        self.ansi_quotes = other.ansi_quotes;
    }

    /// Takes over what a value of `sql_mode` says.
    pub fn set_sql_mode(&mut self, mode: &str) {
        let has = |wanted: &[&str]| {
            mode.split(',').any(|name| wanted.iter().any(|wanted| name.trim().eq_ignore_ascii_case(wanted)))
        };
        self.no_backslash_escapes = has(&["NO_BACKSLASH_ESCAPES"]);
        // The modes that combine several (https://mariadb.com/kb/en/sql-mode/).
        self.ansi_quotes = has(&["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"]);
    }
}
