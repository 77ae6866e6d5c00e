//! Escapes untrusted text: names, paths, files, threads, values from the environment.
//!
//! All text output of mm shows such text as [`Shown`]. Then it cannot end a line, control a terminal or
//! change the direction of writing, and it is still complete. Data for programs is not escaped: fields of
//! snapshots and errors, `Debug`, JSON (which has its own escapes), and names that C programs ask for.

use core::fmt::{self, Display, Formatter, Write};
#[cfg(any(feature = "tracing", feature = "pprof"))]
use std::borrow::Cow;

/// A text with characters escaped that would not be shown as themselves: `\n`, `\u{1b}`, `\u{202e}`.
///
/// Different texts are shown differently: a backslash is doubled where it could be mistaken for the start
/// of an escape, and only there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Display for Shown<'_> {
    /// Pads to the requested width, left-aligned, as for any text.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = f.width().unwrap_or(0);
        let mut counted = Counted { out: f, count: 0 };
        self.write_to(&mut counted)?;
        let written = counted.count;
        (written..width).try_for_each(|_| f.write_char(' '))
    }
}

impl Shown<'_> {
    fn write_to(self, out: &mut impl Write) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, special)) = first_special(rest) {
            out.write_str(&rest[..at])?;
            rest = &rest[at + special.len_utf8()..];
            write!(out, "{}", Escape(special))?;
        }
        out.write_str(rest)
    }
}

#[cfg(any(feature = "tracing", feature = "pprof"))]
impl<'a> Shown<'a> {
    /// The escaped text, without an allocation if there is nothing to escape.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match first_special(self.0) {
            None => Cow::Borrowed(self.0),
            Some(_) => Cow::Owned(self.to_string()),
        }
    }
}

/// Returns the index of the first character that is not shown as itself.
fn first_special(text: &str) -> Option<(usize, char)> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if is_hidden(c) || c == '\\' && next.is_some_and(continues_escape) {
            return Some((at, c));
        }
    }
    None
}

/// Returns whether a backslash before this character would look like the start of an escape.
fn continues_escape(next: char) -> bool {
    matches!(next, '\\' | '0' | 'n' | 'r' | 't' | 'u') || is_hidden(next)
}

/// Returns whether a character must be escaped: it controls a terminal, ends a line, changes the direction of
/// writing, is invisible, or looks like a space.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control() || is_blank(c) || is_ignorable(c)
}

/// Returns whether a character looks like a space but is none: `White_Space` in Unicode's `PropList.txt`, the
/// empty Braille pattern, and the marks around annotations.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != ' ' || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}

/// Returns whether a character may be invisible. Source: `Default_Ignorable_Code_Point` in Unicode's
/// `DerivedCoreProperties.txt`, 16.0.0. They include joiners and variations that some scripts and pictures
/// need: two names that look alike are worse than one that shows an escape.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A character as it is written in Rust source.
struct Escape(char);

impl Display for Escape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            '\0' => f.write_str("\\0"),
            '\t' => f.write_str("\\t"),
            '\r' => f.write_str("\\r"),
            '\n' => f.write_str("\\n"),
            '\\' => f.write_str("\\\\"),
            c => write!(f, "{}", c.escape_unicode()),
        }
    }
}

/// Counts the characters that go to another writer.
struct Counted<'w, 'f> {
    out: &'w mut Formatter<'f>,
    count: usize,
}

impl Write for Counted<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.count += text.chars().count();
        self.out.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(Shown(text).to_string(), shown);
    }

    #[test]
    fn ordinary_texts_are_shown_as_they_are() {
        for text in [
            "",
            "indexd::index::Posting<alloc::string::String>",
            "Größe 型 e\u{301} \u{1f469}",
            r"C:\src\main.rs",
            r"\xff\",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_acts_on_a_terminal_or_hides_is_escaped() {
        check("a\nmm: forged", r"a\nmm: forged");
        check("\u{1b}[31m\u{7f}\u{9b}1m\0", r"\u{1b}[31m\u{7f}\u{9b}1m\0");
        check("\u{202e}\u{2066}\u{2028}", r"\u{202e}\u{2066}\u{2028}");
        check(
            "a\u{200b}b\u{feff}\u{e0041}",
            r"a\u{200b}b\u{feff}\u{e0041}",
        );
        let blank = [
            '\u{a0}',
            '\u{115f}',
            '\u{1160}',
            '\u{180b}',
            '\u{180f}',
            '\u{200c}',
            '\u{200d}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{e0100}',
            '\u{e01ef}',
        ];
        for c in blank {
            check(&format!("a{c}b"), &format!("a{}b", c.escape_unicode()));
        }
    }

    #[test]
    fn two_texts_are_never_shown_as_one() {
        let parts = ["\n", "n", "\\", "u", "{1b}", "\u{1b}", "x", "0", "\0"];
        let (mut shown, mut count) = (HashSet::new(), 0);
        for a in parts {
            for b in parts {
                for c in parts {
                    for d in parts {
                        let text = [a, b, c, d].concat();
                        shown.insert(Shown(&text).to_string());
                        count += 1;
                    }
                }
            }
        }
        assert_eq!(shown.len(), count, "each text is another");
    }

    #[test]
    fn the_width_is_that_of_what_is_shown() {
        assert_eq!(format!("{:<6}|", Shown("é\n")), "é\\n   |");
        assert_eq!(format!("{:<2}|", Shown("abc")), "abc|");
    }
}
