//! Dumps as their writers write them, statement by statement.

use super::columns::{Batches, Kind};
use super::scan::{Options, Piece, Scan};
use super::settings::Settings;
use super::window::Window;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

/// All pieces of a dump, whether its end is its writer's, and what is wrong with it.
fn read(text: &str) -> (Vec<Piece>, bool, String) {
    let window = Window::new(text.as_bytes(), 0, 1).reading(7);
    let options = Options { end: None, piece_bytes: 1, with_data: true };
    let mut scan = Scan::new(window, Settings::default(), None, options);
    let mut pieces = Vec::new();
    let fault = loop {
        match scan.next_piece() {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => break String::new(),
            Err(fault) => break fault.to_string(),
        }
    };
    (pieces, scan.session().complete, fault)
}

/// The values of the rows, as text unless told otherwise.
fn values(piece: &Piece, kinds: &[&str]) -> Vec<Vec<Option<Vec<u8>>>> {
    let data = piece.data.as_deref().unwrap();
    let wanted: Vec<_> =
        kinds.iter().enumerate().map(|(at, kind)| (at, Kind::parse(kind).unwrap())).collect();
    let mut batches = Batches::new(piece.start, piece.line, kinds.len(), wanted, &piece.settings, 1).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = batches.next_batch(data).unwrap() {
        let cell = |column: &ArrayRef| {
            column.is_valid(0).then(|| match column.as_binary_opt::<i32>() {
                Some(bytes) => bytes.value(0).to_vec(),
                None => column.as_string::<i32>().value(0).as_bytes().to_vec(),
            })
        };
        rows.push(batch.as_struct().columns().iter().map(cell).collect());
    }
    rows
}

/// Kind, database, table and text.
type Told<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn told(pieces: &[Piece]) -> Vec<Told<'_>> {
    pieces
        .iter()
        .map(|piece| (piece.kind, piece.database.as_deref(), piece.table.as_deref(), piece.text.as_deref()))
        .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with values that may be NULL")]
fn some(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

#[test]
fn mydumper_writes_double_quotes_and_json_by_convert() {
    let (pieces, complete, fault) = read(
        "/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n/*!40103 SET TIME_ZONE='+00:00' */;\n\
         INSERT INTO `t` VALUES(1,\"it's \\\"x\\\"\",CONVERT(\"{\\\"a\\\": 1}\" USING UTF8MB4),0xFF00)\n\
         ,(2,\"\u{e9}\",NULL,\"\\0\")\n;\n",
    );
    assert_eq!((fault.as_str(), complete), ("", false));
    assert_eq!(pieces.len(), 5);
    assert_eq!(pieces[3].settings.charset, "binary");
    assert_eq!(pieces[3].settings.time_zone.as_deref(), Some("+00:00"));
    let kinds = ["text", "text", "text", "bytes"];
    assert_eq!(
        values(&pieces[3], &kinds),
        [[some("1"), some("it's \"x\""), some("{\"a\": 1}"), Some(vec![0xFF, 0])]]
    );
    assert_eq!(values(&pieces[4], &kinds), [[some("2"), some("\u{e9}"), None, some("\0")]]);
    assert_eq!(values(&pieces[4], &["text", "text:latin1", "text", "bytes"])[0][1], some("\u{c3}\u{a9}"));
    assert_eq!(pieces[4].line, 5);
}

#[test]
fn phpmyadmin_writes_bits_and_ends_with_its_settings() {
    let dump = "-- phpMyAdmin SQL Dump\r\n-- Server version: 10.4.28-MariaDB\r\n\r\n\
         SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\r\nSTART TRANSACTION;\r\n\
         /*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;\r\n\r\n\
         INSERT INTO `t` (`id`, `flag`, `n`) VALUES\r\n(1, b'101', -1.5e3),\r\n(2, 0x06, TRUE);\r\n\r\n\
         ALTER TABLE `t`\r\n  ADD PRIMARY KEY (`id`);\r\nCOMMIT;\r\n\r\n\
         /*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;\r\n";
    let (pieces, complete, fault) = read(dump);
    assert_eq!((fault.as_str(), complete), ("", true));
    assert_eq!(pieces[3].columns.as_ref().unwrap().as_slice(), ["id", "flag", "n"]);
    let kinds = ["text", "bit", "text"];
    assert_eq!(values(&pieces[3], &kinds), [[some("1"), Some(vec![0, 0, 0, 0, 0, 0, 0, 5]), some("-1.5e3")]]);
    assert_eq!(values(&pieces[4], &kinds), [[some("2"), Some(vec![0, 0, 0, 0, 0, 0, 0, 6]), some("1")]]);
    assert_eq!(
        told(&pieces[5..6]),
        [("alter table", None, Some("t"), Some("ALTER TABLE `t`\r\n  ADD PRIMARY KEY (`id`)"))]
    );
    assert_eq!(pieces[3].settings.server.as_deref(), Some("10.4.28-MariaDB"));
    assert!(!read(dump.rsplit_once("/*!40101").unwrap().0).1);
    assert!(read("SET SQL_NOTES=0;\nSET SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1);").1);
    assert!(!read("SET SQL_NOTES=0;\n").1);
}

#[test]
fn conditional_comments_count_as_the_dumped_server_would_have_it() {
    let body = "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\n\
         /*!50001 VIEW `v` AS select '*/' AS `x` */;\nCREATE TABLE t (a INT /*!80023 INVISIBLE */ /* kept */);\n";
    let (pieces, _, fault) = read(&format!("-- Server version\t5.7.44\n{body}"));
    assert_eq!(fault, "");
    assert_eq!(told(&pieces)[0].0, "create view");
    assert_eq!(told(&pieces)[0].2, Some("v"));
    assert!(pieces[0].text.as_ref().unwrap().ends_with("VIEW `v` AS select '*/' AS `x`"));
    assert_eq!(pieces[1].text.as_deref(), Some("CREATE TABLE t (a INT   /* kept */)"));
    let (pieces, _, _) = read(&format!("-- Server version\t8.0.36\n{body}"));
    assert_eq!(pieces[1].text.as_deref(), Some("CREATE TABLE t (a INT   INVISIBLE  /* kept */)"));
}

#[test]
fn delimiters_and_databases() {
    let (pieces, _, fault) = read(
        "/*M!999999\\- enable the sandbox mode */ \nUSE `d``1`;\nDELIMITER ;;\n\
         CREATE DEFINER=`table`@`%` PROCEDURE `p`()\nBEGIN\n -- it's\n SELECT ';;';\nEND ;;\nDELIMITER ;\n\
         INSERT IGNORE INTO t VALUES (1) /* c */ , (2) ON DUPLICATE KEY UPDATE a = ';';\n\
         REPLACE INTO other.`t` (a, `b``c`) VALUES (NULL, 'x' 'y');\nINSERT INTO t SELECT 1;\n",
    );
    assert_eq!(fault, "");
    let names: Vec<_> = told(&pieces).iter().map(|told| (told.0, told.1, told.2)).collect();
    assert_eq!(
        names,
        [
            ("use", Some("d`1"), None),
            ("create procedure", Some("d`1"), Some("p")),
            ("insert", Some("d`1"), Some("t")),
            ("insert", Some("d`1"), Some("t")),
            ("insert", Some("other"), Some("t")),
            ("other", Some("d`1"), None),
        ]
    );
    assert_eq!(pieces[4].columns.as_ref().unwrap().as_slice(), ["a", "b`c"]);
    assert_eq!(values(&pieces[4], &["text", "text"]), [[None, some("xy")]]);
}

#[test]
fn settings_follow_set_and_come_back() {
    let (pieces, _, fault) = read(
        "SET NAMES latin1;\nSET @saved_cs_client = @@character_set_client;\nSET character_set_client = utf8;\n\
         SET character_set_client = @saved_cs_client;\n\
         SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI,NO_BACKSLASH_ESCAPES';\n\
         INSERT INTO \"t\" VALUES ('\\');\nSET SQL_MODE=@OLD_SQL_MODE;\nINSERT INTO t VALUES (\"\\\"\");\n\
         SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES');\nINSERT INTO t VALUES (\"\\\");\n",
    );
    assert_eq!(fault, "");
    let charsets: Vec<_> = pieces.iter().map(|piece| piece.settings.charset.as_str()).collect();
    assert_eq!(charsets[..5], ["utf8mb4", "latin1", "latin1", "utf8", "latin1"]);
    let values = [5, 7, 9].map(|at| values(&pieces[at], &["text"])[0][0].clone());
    assert_eq!(values, [some("\\"), some("\""), some("\\")]);
    assert!(read("SET sql_mode = my_function();").2.contains("cannot tell what sql_mode is set to"));
    assert!(read("SET GLOBAL sql_mode = my_function();").2.is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (dump, expected) in [
        (
            "INSERT INTO t VALUES\n(1,'a",
            "line 2, byte 26: the input ends inside a quoted text that begins on line 2, byte 24: expected its closing '",
        ),
        (
            "INSERT INTO t VALUES (1,2",
            "line 1, byte 25: the input ends inside a row that begins at byte 21: expected its closing )",
        ),
        (
            "INSERT INTO t VALUES (1;",
            "line 1, byte 23: a statement ends inside a row that begins at byte 21: expected its closing )",
        ),
        ("INSERT INTO t VALUES (1),\n;", "line 2, byte 26: `;` found where a row should be: expected ("),
        (
            "INSERT INTO t VALUES (1)",
            "line 1, byte 24: the input ends inside a statement that begins on line 1, byte 24: expected ;",
        ),
        (
            "\n/* a",
            "line 2, byte 5: the input ends inside a comment that begins on line 2, byte 1: expected its closing */",
        ),
        (
            "\u{feff}DROP TABLE t",
            "line 1, byte 15: the input ends inside a statement that begins on line 1, byte 3: expected ;",
        ),
    ] {
        assert_eq!(read(dump).2, expected);
    }
    let window = Window::new(&b"\xff\xfeI\0N\0"[..], 0, 1);
    let options = Options { end: None, piece_bytes: 1, with_data: false };
    let fault = Scan::new(window, Settings::default(), None, options).next_piece().unwrap_err();
    assert!(fault.to_string().contains("UTF-16"));
}

#[test]
fn rows_that_are_none_are_told_with_their_place() {
    for (rows, expected) in [
        ("(1,2),(3)", "line 7, byte 108: the row has 1 values, expected 2"),
        ("(1,2,3)", "line 7, byte 104: the row has more than the 2 values expected"),
        ("(1,2),\n(3,x)", "line 8, byte 110: `x)` found: expected a value"),
        ("(1,2)(3,4)", "line 7, byte 105: `(3,4)` found: expected a comma or the end of the rows"),
        (
            "(1,DEFAULT)",
            "line 7, byte 103: field 2: the value is DEFAULT, which only the table's definition tells",
        ),
        ("(1,0xfg)", "line 7, byte 103: field 2: `g` is no digit of such a literal"),
        (
            "(1,_klingon'x')",
            "line 7, byte 103: field 2: the character set klingon is not supported: dump with --default-character-set=utf8mb4",
        ),
        ("(1,NOW())", "line 7, byte 103: `NOW())` found: expected a value"),
        ("(1,2", "line 7, byte 104: the rows end here: expected a comma or ) after a value"),
        ("(1,1.)", ""),
        ("(1,1.2.3)", "line 7, byte 106: `.3)` found: expected a comma or ) after a value"),
        ("(1,1e)", "line 7, byte 103: `1e)` found: expected a number"),
    ] {
        let wanted = vec![(0, Kind::parse("text").unwrap()), (1, Kind::parse("text").unwrap())];
        let mut batches = Batches::new(100, 7, 2, wanted, &Settings::default(), 1 << 20).unwrap();
        let fault =
            batches.next_batch(rows.as_bytes()).err().map(|fault| fault.to_string()).unwrap_or_default();
        assert_eq!(fault, expected, "{rows}");
    }
    let ansi = Settings { ansi_quotes: true, ..Settings::default() };
    let mut batches = Batches::new(0, 1, 1, vec![(0, Kind::Bytes)], &ansi, 1).unwrap();
    assert!(batches.next_batch(b"('a' \"b\")").unwrap_err().what.contains("expected a comma"));
    let mut batches =
        Batches::new(0, 1, 1, vec![(0, Kind::Text("utf8mb4".into()))], &Settings::default(), 1).unwrap();
    let data = b"('a'),\n('\xff')";
    assert!(batches.next_batch(data).unwrap().is_some());
    let fault = batches.next_batch(data).unwrap_err();
    assert_eq!((fault.offset, fault.line), (5, 1));
    assert!(fault.what.contains("not UTF-8"));
}
