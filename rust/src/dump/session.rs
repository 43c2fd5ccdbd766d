//! The session that a dump's statements would run in: what SET and USE change, and what the comments tell.

use std::collections::HashMap;
use std::sync::Arc;

use super::settings::Settings;
use super::tokens::{Token, Tokens};
use super::version::Server;

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    Text(String),
    /// What it held where the scan began.
    Initial,
    /// What it holds in a new session.
    Default,
}

/// The session at one place of a dump.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// What changes how statements are read.
    pub settings: Arc<Settings>,
    /// The database of the last USE.
    pub database: Option<String>,
    /// The program that wrote the dump, as far as comments tell.
    pub writer: Option<&'static str>,
    /// Whether what was seen last says that the writer came to its end.
    pub complete: bool,
    /// The dumped server.
    pub server: Option<Server>,
    initial: Arc<Settings>,
    variables: HashMap<String, Held>,
}

impl Session {
    /// A session that begins with these settings and in this database.
    #[must_use]
    pub fn new(settings: Settings, database: Option<String>) -> Self {
        let server = settings.server.as_deref().and_then(Server::parse);
        let settings = Arc::new(settings);
        Self { initial: Arc::clone(&settings), settings, database, server, ..Self::default() }
    }

    /// Takes note of what a comment line says; the server, where it names one.
    pub fn see(&mut self, comment: &[u8]) -> Option<Server> {
        let comment = String::from_utf8_lossy(comment);
        let comment = comment.trim();
        if comment.starts_with("-- MySQL dump ") || comment.starts_with("-- mysqldump ") {
            (self.writer, self.complete) = (Some("mysqldump"), false);
        } else if comment.starts_with("-- MariaDB dump ") {
            (self.writer, self.complete) = (Some("mariadb-dump"), false);
        } else if comment.starts_with("-- phpMyAdmin SQL Dump") {
            (self.writer, self.complete) = (Some("phpmyadmin"), false);
        } else if comment.starts_with("-- Dump created by MySQL pump") {
            (self.writer, self.complete) = (Some("mysqlpump"), false);
        } else if comment.starts_with("-- Dump completed") || comment.starts_with("-- Dump end time") {
            self.complete = true;
        } else if let Some(version) = comment.strip_prefix("-- Server version") {
            let version = version.trim_start_matches([':', ' ', '\t']);
            self.server = Server::parse(version);
            if self.server.is_some() {
                Arc::make_mut(&mut self.settings).server = Some(version.to_owned());
            }
            return self.server;
        }
        None
    }

    /// Takes note of a statement that ended, before [`Session::set`].
    pub fn went_on(&mut self) {
        self.complete = false;
    }

    /// Runs a SET statement, from after its first word.
    ///
    /// # Errors
    /// What cannot be told of a setting that matters.
    pub fn set(&mut self, tokens: &mut Tokens) -> Result<(), String> {
        loop {
            self.assign(tokens)?;
            let mut depth = 0;
            loop {
                match tokens.next() {
                    None => return Ok(()),
                    Some(Token::Symbol(b',')) if depth == 0 => break,
                    Some(Token::Symbol(b'(')) => depth += 1,
                    Some(Token::Symbol(b')')) => depth -= 1,
                    Some(_) => (),
                }
            }
        }
    }

    fn assign(&mut self, tokens: &mut Tokens) -> Result<(), String> {
        let mut marks = 0;
        while tokens.accept_symbol(b'@') {
            marks += 1;
        }
        let own = marks == 1;
        let Some(mut name) = tokens.next().and_then(Token::into_name).map(lower) else { return Ok(()) };
        let mut global = false;
        if !own && matches!(name.as_str(), "session" | "local" | "global" | "persist") {
            global = matches!(name.as_str(), "global" | "persist");
            while tokens.accept_symbol(b'@') {}
            tokens.accept_symbol(b'.');
            let Some(next) = tokens.next().and_then(Token::into_name).map(lower) else { return Ok(()) };
            name = next;
        }
        match name.as_str() {
            "names" | "charset" => {
                let charset = word_or_text(tokens.next());
                self.set_charset(&charset);
                return Ok(());
            }
            "character" if tokens.accept("set") => {
                let charset = word_or_text(tokens.next());
                self.set_charset(&charset);
                return Ok(());
            }
            _ => (),
        }
        tokens.accept_symbol(b':');
        if !tokens.accept_symbol(b'=') {
            return Ok(());
        }
        let matters = !own && matches!(name.as_str(), "sql_mode" | "character_set_client" | "time_zone");
        let held = match self.evaluate(tokens) {
            Some(held) => held,
            // The last line of HeidiSQL: `SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1)`.
            None if name == "sql_notes" && self.writer.is_none() => {
                self.complete = true;
                return Ok(());
            }
            None if matters && !global => return Err(format!("cannot tell what {name} is set to here")),
            None => return Ok(()),
        };
        match name.as_str() {
            _ if own => _ = self.variables.insert(name, held),
            _ if global => (),
            "sql_mode" => {
                let settings = Arc::make_mut(&mut self.settings);
                match &held {
                    Held::Text(mode) => settings.set_sql_mode(mode),
                    Held::Initial => settings.copy_sql_mode(&self.initial),
                    Held::Default => settings.set_sql_mode(""),
                }
                self.variables.insert("@@sql_mode".into(), held);
            }
            "character_set_client" => self.set_charset(&held),
            "time_zone" => {
                Arc::make_mut(&mut self.settings).time_zone = match held {
                    Held::Text(zone) => Some(zone),
                    Held::Initial => self.initial.time_zone.clone(),
                    Held::Default => None,
                }
            }
            // The last line of mysqldump without comments, and of phpMyAdmin.
            "sql_notes" if self.writer.is_none() => self.complete = held != Held::Text("0".into()),
            "collation_connection" if self.writer == Some("phpmyadmin") => self.complete = true,
            _ => (),
        }
        Ok(())
    }

    /// The value of an expression as dumps have them; `None` if it is another.
    fn evaluate(&self, tokens: &mut Tokens) -> Option<Held> {
        let held = match tokens.next()? {
            Token::Text(text) => Held::Text(String::from_utf8_lossy(&text).into_owned()),
            Token::Symbol(b'@') => {
                let system = tokens.accept_symbol(b'@');
                let mut name = lower(tokens.next()?.into_name()?);
                while tokens.accept_symbol(b'.') {
                    name = lower(tokens.next()?.into_name()?);
                }
                if system { self.system(&name) } else { self.user(&name) }
            }
            token if token.is("concat") => {
                if !tokens.accept_symbol(b'(') {
                    return None;
                }
                let mut whole = String::new();
                loop {
                    if let Held::Text(part) = self.evaluate(tokens)? {
                        whole += &part;
                    }
                    match tokens.next()? {
                        Token::Symbol(b',') => (),
                        Token::Symbol(b')') => break Held::Text(whole),
                        _ => return None,
                    }
                }
            }
            token if token.is("default") || token.is("null") => Held::Default,
            Token::Word(word) => Held::Text(String::from_utf8_lossy(word).into_owned()),
            _ => return None,
        };
        let ends = matches!(tokens.peek(), None | Some(Token::Symbol(b',' | b')' | b';')));
        ends.then_some(held)
    }

    fn system(&self, name: &str) -> Held {
        let of = |value: Option<&String>| value.map_or(Held::Default, |value| Held::Text(value.clone()));
        match name {
            "character_set_client" => of(Some(&self.settings.charset)),
            "time_zone" => of(self.settings.time_zone.as_ref()),
            "sql_mode" => self.variables.get("@@sql_mode").cloned().unwrap_or(Held::Initial),
            _ => Held::Default,
        }
    }

    /// Of a variable that was set before the scan began it is known from mysqldump's use of it what it holds.
    fn user(&self, name: &str) -> Held {
        let before = if name.starts_with("old_") { Held::Default } else { Held::Initial };
        self.variables.get(name).cloned().unwrap_or(before)
    }

    fn set_charset(&mut self, charset: &Held) {
        Arc::make_mut(&mut self.settings).charset = match charset {
            Held::Text(name) if !name.eq_ignore_ascii_case("default") => name.to_ascii_lowercase(),
            Held::Initial => self.initial.charset.clone(),
            _ => Settings::default().charset,
        };
    }
}

fn lower(name: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(name.as_ref()).to_ascii_lowercase()
}

fn word_or_text(token: Option<Token>) -> Held {
    match token {
        Some(Token::Word(name)) => Held::Text(String::from_utf8_lossy(name).into_owned()),
        Some(Token::Text(name) | Token::Name(name)) => {
            Held::Text(String::from_utf8_lossy(&name).into_owned())
        }
        _ => Held::Default,
    }
}
