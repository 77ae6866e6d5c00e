//! Unique keys of families, also for families that one macro call defines.

use core::cmp::Ordering;
use core::fmt::{self, Debug, Display, Formatter, Write};
use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::OnceLock;

use super::Location;
use crate::shown::Shown;

/// A key that identifies a page family uniquely, for as long as the process runs.
///
/// Displayed, it is the family's path and location, as in
/// `indexd::index::Posting (src/index.rs:17:10, 0.1.0)`. Types that one macro call defines may share
/// both, as may types of one name in two blocks of a function. mm numbers these in the order in which it
/// meets them: the second ends with ` #2`, and so on. The order may differ from run to run. No two
/// families have the same text, and it never changes. If a part of a path or file would look like the
/// start of the next part, a `~` is inserted: the key of the path `a (b` begins `a ~(b (`.
/// [`Snapshot::family`](crate::Snapshot::family) finds the family by this text.
///
/// Reports show it only of families that share their path.
///
/// # Examples
///
/// ```
/// use mm::MmManaged;
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// let key = Emp::page_family().key();
/// let snapshot = mm::snapshot();
/// let emps = snapshot.family(&key.to_string()).unwrap();
/// assert_eq!((emps.name, emps.key), ("Emp", key));
/// ```
#[derive(Clone, Copy)]
pub struct FamilyKey(&'static Identity);

/// Name, path and location of a family, and its number among families that share path and location.
pub(crate) struct Identity {
    name: &'static str,
    path: Path,
    location: Location,
    /// Number of the family among those that share path and location, from 1; 0 before it is listed.
    nth: AtomicU32,
    /// Whether another family has the name, or the path, as its name or path.
    shares_name: AtomicBool,
    shares_path: AtomicBool,
    /// The text of the key, once another family has the path.
    text: OnceLock<&'static str>,
}

/// The source of the path. The path of a type is known only at run time.
pub(crate) enum Path {
    OfType(fn() -> &'static str),
    RunTime(&'static str),
}

impl Identity {
    pub(crate) const fn new(name: &'static str, path: Path, location: Location) -> Self {
        Self {
            name,
            path,
            location,
            nth: AtomicU32::new(0),
            shares_name: AtomicBool::new(false),
            shares_path: AtomicBool::new(false),
            text: OnceLock::new(),
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn path(&self) -> &'static str {
        match self.path {
            Path::OfType(path) => path(),
            Path::RunTime(name) => name,
        }
    }

    pub(crate) const fn location(&self) -> Location {
        self.location
    }

    /// Returns whether the family was registered at run time.
    pub(crate) const fn is_run_time(&self) -> bool {
        matches!(self.path, Path::RunTime(_))
    }

    /// Sets the family's number among those of the same path and location: once, and before its key is used.
    pub(crate) fn set_nth(&self, nth: u32) {
        self.nth.store(nth, Relaxed);
    }

    pub(crate) fn nth(&self) -> u32 {
        self.nth.load(Relaxed)
    }

    /// Records whether either of two families has the other's name or path as its own name or path.
    pub(crate) fn account_shared(&self, other: &Self) {
        for (one, other) in [(self, other), (other, self)] {
            let has = |text| other.name == text || other.path() == text;
            if has(one.name) {
                one.shares_name.store(true, Relaxed);
            }
            if has(one.path()) {
                one.shares_path.store(true, Relaxed);
            }
        }
    }

    /// The key's text, if it is needed as one string and was not made yet.
    pub(crate) fn wanted_text(&self) -> Option<impl Display + '_> {
        let is_wanted = self.shares_path.load(Relaxed) && self.text.get().is_none();
        is_wanted.then_some(KeyText(self, |text, f| f.write_str(text)))
    }

    /// Stores the key's text.
    pub(crate) fn set_text(&self, text: &'static str) {
        // Set once, by the thread that lists a family.
        let _ = self.text.set(text);
    }

    /// The family's label in messages, as of now: the shortest text that identifies it.
    pub(crate) fn label(&self) -> &'static str {
        if !self.shares_name.load(Relaxed) {
            return self.name;
        }
        // If there was no memory for the text of the key, the label is the path.
        let text = self.text.get().copied();
        text.unwrap_or_else(|| self.path())
    }

    /// Whether both have the same path and location.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.location == other.location && self.path() == other.path()
    }
}

impl FamilyKey {
    /// The key of a family that is listed.
    pub(crate) const fn of(identity: &'static Identity) -> Self {
        Self(identity)
    }

    pub(crate) fn path(self) -> &'static str {
        self.0.path()
    }

    pub(crate) const fn location(self) -> Location {
        self.0.location
    }

    /// Number of the family among those that share path and location, from 1.
    pub(crate) fn nth(self) -> u32 {
        self.0.nth()
    }

    /// Returns whether this is the text of the key.
    pub(crate) fn is(self, text: &str) -> bool {
        // Most texts are names or paths, which seldom end the way a key does; test that first.
        let ends_as_key = text.ends_with(|last: char| last == ')' || last.is_ascii_digit());
        let mut rest = Rest(text);
        ends_as_key && write!(rest, "{self}").is_ok() && rest.0.is_empty()
    }

    /// Returns whether another family has the same path.
    pub(crate) fn shares_path(self) -> bool {
        self.0.shares_path.load(Relaxed)
    }

    /// The parts by which families are sorted and compared.
    fn parts(self) -> (&'static str, Location, u32) {
        (self.path(), self.location(), self.nth())
    }

    /// Makes a key for a test.
    #[cfg(test)]
    pub(crate) fn made(
        name: &'static str,
        path: &'static str,
        location: Location,
        nth: u32,
    ) -> Self {
        let identity = Identity::new(name, Path::RunTime(path), location);
        identity.set_nth(nth);
        Self(Box::leak(Box::new(identity)))
    }
}

impl Display for FamilyKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        KeyText(self.0, |text, f| write!(f, "{}", Shown(text))).fmt(f)
    }
}

/// Path, location and version, each written by a function, and the family's number.
struct KeyText<'a>(&'a Identity, fn(&str, &mut Formatter<'_>) -> fmt::Result);

impl Display for KeyText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(identity, write) = self;
        let place = identity.location;
        write_marked(identity.path(), *write, begins_location, f)?;
        f.write_str(" (")?;
        match place.file {
            "" => f.write_char('-')?,
            file => write_marked(file, *write, ends_file, f)?,
        }
        write!(f, "{}", place.numbers())?;
        if !place.crate_version.is_empty() {
            f.write_str(", ")?;
            write(place.crate_version, f)?;
        }
        f.write_char(')')?;
        match identity.nth() {
            0 | 1 => Ok(()),
            nth => write!(f, " #{nth}"),
        }
    }
}

/// Whether `c` after `before` would look like the start of the location.
fn begins_location(before: Option<char>, c: char) -> bool {
    (before, c) == (Some(' '), '(')
}

/// Whether `c` after `before` would look like the start of a line or of a version, or like a missing file.
fn ends_file(before: Option<char>, c: char) -> bool {
    match before {
        None => c == '-',
        Some(',') => c == ' ',
        Some(':') => c.is_ascii_digit(),
        Some(_) => false,
    }
}

/// Writes a part of a key by `write`, with a `~` before each character that could be mistaken for the
/// start of the next part, as `looks` decides. A `~` that is there already is ignored in that decision
/// and gets one more, so that different texts stay different.
fn write_marked(
    text: &str,
    write: fn(&str, &mut Formatter<'_>) -> fmt::Result,
    looks: fn(Option<char>, char) -> bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let (mut before, mut written) = (None, 0);
    for (at, c) in text.char_indices().filter(|(_, c)| *c != '~') {
        if looks(before, c) {
            write(&text[written..at], f)?;
            f.write_char('~')?;
            written = at;
        }
        before = Some(c);
    }
    write(&text[written..], f)
}

impl Debug for FamilyKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "FamilyKey({self})")
    }
}

impl PartialEq for FamilyKey {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0) || self.parts() == other.parts()
    }
}

impl Eq for FamilyKey {}

impl PartialOrd for FamilyKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FamilyKey {
    /// Orders keys by path, then by location.
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl Hash for FamilyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FamilyKey {
    /// Serializes the text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A writer that compares what is written with a text: it holds the part that is still to come.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_key_is_path_and_place_and_which_of_those() {
        let at = |line, column, version| Location::new("src/a.rs", line, column, version);
        let text = |location, nth| FamilyKey::made("T", "a::T", location, nth).to_string();
        assert_eq!(text(at(7, 5, "1.0.0"), 1), "a::T (src/a.rs:7:5, 1.0.0)");
        assert_eq!(text(at(7, 5, ""), 3), "a::T (src/a.rs:7:5) #3");
        assert_eq!(text(Location::new("", 0, 0, ""), 1), "a::T (-)");
        assert_eq!(text(Location::new("b.c", 7, 0, ""), 1), "a::T (b.c:7)");
    }

    #[test]
    fn two_keys_never_have_one_text() {
        let files = [
            "", "-", "~-", "y", "x (y", "y:7", "y~:7", "y:7, 1", "y, 1", "y,~ 1", "y) #2",
        ];
        let paths = [
            "p", "p (x", "p ~(x", "p ~~(x", "p (-)", "p ", "p (y:7)", "p (y) #2",
        ];
        let (mut texts, mut raw, mut keys) = (HashSet::new(), HashSet::new(), 0);
        let all = paths
            .iter()
            .flat_map(|path| files.map(|file| (*path, file)));
        for (path, file) in all {
            for (line, version, nth) in [(0, "", 1), (7, "", 1), (0, "1", 2), (7, "1) #2", 1)] {
                let place = Location::new(file, line, 0, version);
                let key = FamilyKey::made("T", path, place, nth);
                texts.insert(key.to_string());
                raw.insert(KeyText(key.0, |text, f| f.write_str(text)).to_string());
                keys += 1;
            }
        }
        assert_eq!((texts.len(), raw.len()), (keys, keys));
        let place = Location::new("x (y", 0, 0, "");
        let text = |path| FamilyKey::made("T", path, place, 1).to_string();
        assert_eq!(text("f (a::b, c)"), "f ~(a::b, c) (x (y)");
        assert_eq!(text("fn(a) -> b::C<(), 1>"), "fn(a) -> b::C<(), 1> (x (y)");
    }

    #[test]
    fn a_key_is_its_text_and_no_other() {
        let place = Location::new("src/a.rs", 7, 5, "1.0.0");
        let key = FamilyKey::made("T", "a\n::T", place, 2);
        let text = key.to_string();
        assert!(key.is(&text));
        let longer = format!("{text}0");
        for other in ["", "a\n::T", &text[..text.len() - 1], &longer] {
            assert!(!key.is(other), "{other}");
        }
    }

    #[test]
    fn a_label_is_as_long_as_it_must_be() {
        let place = Location::new("src/a.rs", 7, 5, "");
        let new = |name, path, nth| {
            let identity = Identity::new(name, Path::RunTime(path), place);
            identity.set_nth(nth);
            identity
        };
        let keep_text = |identity: &Identity| {
            let text = identity.wanted_text().map(|text| text.to_string());
            text.into_iter()
                .for_each(|text| identity.set_text(text.leak()));
        };
        let (tree, list) = (new("Node", "tree::Node", 1), new("Node", "list::Node", 1));
        assert_eq!(tree.label(), "Node");
        list.account_shared(&tree);
        assert_eq!(
            [&tree, &list].map(Identity::label),
            ["tree::Node", "list::Node"]
        );
        let twin = new("Node", "tree::Node", 2);
        twin.account_shared(&tree);
        assert_eq!(twin.label(), "tree::Node", "while there is no more");
        [&tree, &list, &twin].into_iter().for_each(keep_text);
        assert_eq!(tree.label(), "tree::Node (src/a.rs:7:5)");
        assert_eq!(twin.label(), "tree::Node (src/a.rs:7:5) #2");
        let run_time = new("list::Node", "list::Node", 1);
        run_time.account_shared(&list);
        keep_text(&list);
        assert_eq!(list.label(), "list::Node (src/a.rs:7:5)");
    }
}
