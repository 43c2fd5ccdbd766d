//! The server's character sets to UTF-8.

use std::borrow::Cow;

use encoding_rs::Encoding;

/// How the bytes of a character set become UTF-8.
#[derive(Debug, Clone, Copy)]
pub enum Charset {
    /// They are UTF-8, or bytes of which nothing says what they are.
    Utf8,
    /// By the tables of the WHATWG.
    Table(&'static Encoding),
    /// Four bytes a character, big-endian.
    Utf32,
}

/// The character set that `MySQL` calls `name`; `None` if it is not known here.
///
/// Those are left out of which the WHATWG's tables differ from the server's in a character that it can store, such as
/// `big5`, `greek` and `sjis`.
#[must_use]
pub fn named(name: &str) -> Option<Charset> {
    Some(Charset::Table(match name.to_ascii_lowercase().as_str() {
        "utf8" | "utf8mb3" | "utf8mb4" | "binary" | "ascii" => return Some(Charset::Utf8),
        "utf32" => return Some(Charset::Utf32),
        // With the five bytes that Windows leaves open as control characters, as it has them.
        "latin1" => encoding_rs::WINDOWS_1252,
        "latin2" => encoding_rs::ISO_8859_2,
        "latin7" => encoding_rs::ISO_8859_13,
        "cp1250" => encoding_rs::WINDOWS_1250,
        "cp1251" => encoding_rs::WINDOWS_1251,
        "cp1256" => encoding_rs::WINDOWS_1256,
        "cp1257" => encoding_rs::WINDOWS_1257,
        "koi8r" => encoding_rs::KOI8_R,
        "gbk" => encoding_rs::GBK,
        "cp932" => encoding_rs::SHIFT_JIS,
        "euckr" => encoding_rs::EUC_KR,
        "ucs2" | "utf16" => encoding_rs::UTF_16BE,
        "utf16le" => encoding_rs::UTF_16LE,
        _ => return None,
    }))
}

impl Charset {
    /// The text, or `None` where the bytes are none of this set.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Table(encoding) => encoding.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Utf32 => {
                let (characters, rest) = bytes.as_chunks::<4>();
                let text: Option<String> =
                    characters.iter().map(|bytes| char::from_u32(u32::from_be_bytes(*bytes))).collect();
                text.filter(|_| rest.is_empty()).map(Cow::Owned)
            }
        }
    }
}

/// Character sets of which the second byte of a character may be a backslash, which then escapes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Every other set.
    None,
    /// Shift-JIS and its Windows variant.
    Sjis,
    /// Big5.
    Big5,
    /// GBK and GB18030.
    Gbk,
}

impl Pairs {
    /// Those of the set that `MySQL` calls `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "sjis" | "cp932" => Self::Sjis,
            "big5" => Self::Big5,
            "gbk" | "gb18030" => Self::Gbk,
            _ => Self::None,
        }
    }

    /// Whether these two bytes are one character.
    #[must_use]
    pub fn is_one(self, first: u8, second: u8) -> bool {
        let lead = match self {
            Self::None => false,
            Self::Sjis => matches!(first, 0x81..=0x9F | 0xE0..=0xFC),
            Self::Big5 => matches!(first, 0xA1..=0xF9),
            Self::Gbk => matches!(first, 0x81..=0xFE),
        };
        lead && matches!(second, 0x40..=0x7E | 0x80..=0xFE)
    }
}
