//! Conditional comments: which of them the server that was dumped would execute.

/// A server as its version string tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// `MYSQL_VERSION_ID`: 50651 is 5.6.51, 101119 is 10.11.19.
    pub number: u32,
    /// Whether it is `MariaDB`, which leaves out what only `MySQL` 5.7 and newer understand.
    pub mariadb: bool,
}

impl Server {
    /// Reads a version such as `8.0.36`, `10.11.19-MariaDB-log` or `5.5.5-10.4.28-MariaDB`.
    #[must_use]
    pub fn parse(version: &str) -> Option<Self> {
        let mariadb = version.to_ascii_lowercase().contains("mariadb");
        // MariaDB calls itself 5.5.5 first where a replica of MySQL might read it.
        let version = version.strip_prefix("5.5.5-").filter(|_| mariadb).unwrap_or(version);
        let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
        let [major, minor, patch] = [parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)];
        let number = major.checked_mul(10_000)?.checked_add(minor.checked_mul(100)?)?.checked_add(patch)?;
        Some(Self { number, mariadb })
    }
}

/// What stands at the start of a comment `/* ... */`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A comment for people.
    Plain,
    /// SQL that the server executes; so many bytes open it.
    Executed(usize),
    /// SQL for other servers.
    Skipped,
}

/// Judges the comment at the start of `text`, of which 11 bytes are enough (`/*M!NNNNNN `).
///
/// Without a server every version but 999999 is executed. The rules are those of `sql_lex.cc` of both.
#[must_use]
pub fn opening(text: &[u8], server: Option<Server>) -> Opening {
    let mariadb_only = text.starts_with(b"/*M!");
    if !mariadb_only && !text.starts_with(b"/*!") {
        return Opening::Plain;
    }
    if mariadb_only && server.is_some_and(|server| !server.mariadb) {
        return Opening::Plain;
    }
    let start = if mariadb_only { 4 } else { 3 };
    let digits = text[start..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    if digits < 5 {
        return Opening::Executed(start);
    }
    let version =
        text[start..start + digits].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    let executed = match server {
        None => version < 999_999,
        Some(Server { number, mariadb }) => {
            version <= number && (!mariadb || mariadb_only || !(50_700..=99_999).contains(&version))
        }
    };
    if executed { Opening::Executed(start + digits) } else { Opening::Skipped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_servers_tell_them() {
        let number = |text| Server::parse(text).map(|server| (server.number, server.mariadb));
        assert_eq!(number("5.6.51-log"), Some((50651, false)));
        assert_eq!(number("8.0.36"), Some((80036, false)));
        assert_eq!(number("10.11.19-MariaDB-0+deb12u1"), Some((101_119, true)));
        assert_eq!(number("5.5.5-10.4.28-MariaDB"), Some((100_428, true)));
        assert_eq!(number("MySQL"), None);
        assert_eq!(number("99999999999.1.1"), None);
    }

    #[test]
    fn comments_are_executed_as_by_the_server() {
        let [old, new] = ["5.6.51", "8.0.36"].map(Server::parse);
        let mariadb = Server::parse("10.11.19-MariaDB");
        assert_eq!(opening(b"/* a", new), Opening::Plain);
        assert_eq!(opening(b"/*!50700 a", old), Opening::Skipped);
        assert_eq!(opening(b"/*!50700 a", new), Opening::Executed(8));
        assert_eq!(opening(b"/*!50700 a", mariadb), Opening::Skipped);
        assert_eq!(opening(b"/*!100100 a", mariadb), Opening::Executed(9));
        assert_eq!(opening(b"/*!40101 a", mariadb), Opening::Executed(8));
        assert_eq!(opening(b"/*M!50701 a", mariadb), Opening::Executed(9));
        assert_eq!(opening(b"/*M!100203 a", new), Opening::Plain);
        assert_eq!(opening(b"/*M!999999\\- ", mariadb), Opening::Skipped);
        assert_eq!(opening(b"/*M!999999\\- ", None), Opening::Skipped);
        assert_eq!(opening(b"/*!80013 a", None), Opening::Executed(8));
        assert_eq!(opening(b"/*! a", old), Opening::Executed(3));
    }
}
