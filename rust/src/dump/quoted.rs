//! Where a quoted string or name ends.

use memchr::memchr;

use super::charset::Pairs;
use super::settings::Quoting;

/// The way through one quoted string, from after its opening quote, in as many parts as the input comes in.
pub struct Quoted {
    quote: u8,
    backslash: bool,
    pairs: Pairs,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    AfterBackslash,
    /// A byte that is half a character if the next is the other half.
    AfterLead(u8),
    /// The string's end, unless another quote follows.
    AfterQuote,
}

impl Quoted {
    /// A string or name that `quote` encloses. In a name there are no escapes.
    #[must_use]
    pub fn new(quote: u8, quoting: Quoting) -> Self {
        let name = quote == b'`' || (quote == b'"' && quoting.ansi);
        Self { quote, backslash: quoting.backslash && !name, pairs: quoting.pairs, place: Place::Inside }
    }

    /// Goes on through `text`: how much of it the rest of the string, its closing quote included, takes; `None` when
    /// it takes all and the end is not yet known.
    #[inline]
    pub fn advance(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            match self.place {
                Place::AfterBackslash if at < text.len() => {
                    at += 1;
                    self.place = Place::Inside;
                }
                Place::AfterQuote if at < text.len() => {
                    if text[at] != self.quote {
                        return Some(at);
                    }
                    at += 1;
                    self.place = Place::Inside;
                }
                Place::AfterLead(first) if at < text.len() => {
                    at += usize::from(self.pairs.is_one(first, text[at]));
                    self.place = Place::Inside;
                }
                Place::Inside if self.pairs != Pairs::None => at += self.slowly(&text[at..])?,
                // Quotes are rare where backslashes are dense (a JSON document has two a key), so only the former are
                // looked for.
                Place::Inside => {
                    let Some(length) = memchr(self.quote, &text[at..]) else {
                        self.place = self.escaped(&text[at..], Place::AfterBackslash, Place::Inside);
                        return None;
                    };
                    self.place = self.escaped(&text[at..at + length], Place::Inside, Place::AfterQuote);
                    at += length + 1;
                }
                _ => return None,
            }
        }
    }

    /// Whether the string is whole if nothing follows.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.place == Place::AfterQuote
    }

    fn escaped(&self, before: &[u8], yes: Place, no: Place) -> Place {
        let backslashes = before.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if self.backslash && backslashes % 2 == 1 { yes } else { no }
    }

    #[cold]
    fn slowly(&mut self, text: &[u8]) -> Option<usize> {
        match *text {
            [] => None,
            [byte, ..] => {
                if byte == self.quote {
                    self.place = Place::AfterQuote;
                } else if byte == b'\\' && self.backslash {
                    self.place = Place::AfterBackslash;
                } else if byte >= 0x81 {
                    self.place = Place::AfterLead(byte);
                }
                Some(1)
            }
        }
    }
}
