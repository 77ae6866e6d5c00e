//! By what a family is told from every other, also from those that one macro call wrote.

use core::cmp::Ordering;
use core::fmt::{self, Debug, Display, Formatter, Write};
use core::hash::{Hash, Hasher};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::Location;
use crate::shown::Shown;

/// What tells a page family from every other one of the process, for as long as that runs.
///
/// Displayed, it is the family's path and place, as in
/// `indexd::index::Posting (src/index.rs:17:10, 0.1.0)`. Types that one macro call defines may share
/// both, as may types of one name in two blocks of a function; of these the second that mm met ends with
/// ` #2`, and so on: which one that is may differ from run to run. No two families have the same text, and it never changes:
/// [`Snapshot::family`](crate::Snapshot::family) finds the family by it.
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

/// What a family is called, where it was defined, and which one it is of those that share that.
pub(crate) struct Identity {
    name: &'static str,
    path: Path,
    location: Location,
    /// Which one the family is of those that share path and location, from 1; 0 before it is listed.
    nth: AtomicU32,
    /// Whether another family has the name, or the path, as its name or path.
    shares_name: AtomicBool,
    shares_path: AtomicBool,
}

/// Where the path comes from: a type's is known only once the program runs.
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

    /// Whether the family was registered while the program ran.
    pub(crate) const fn is_run_time(&self) -> bool {
        matches!(self.path, Path::RunTime(_))
    }

    /// Settles which one of those that are alike the family is: once, and before anybody has its key.
    pub(crate) fn set_nth(&self, nth: u32) {
        self.nth.store(nth, Relaxed);
    }

    pub(crate) fn nth(&self) -> u32 {
        self.nth.load(Relaxed)
    }

    /// Notes of two families whether one answers to the name or the path of the other.
    pub(crate) fn account_shared(&self, other: &Self) {
        for (one, other) in [(self, other), (other, self)] {
            let answers = |text| other.name == text || other.path() == text;
            if answers(one.name) {
                one.shares_name.store(true, Relaxed);
            }
            if answers(one.path()) {
                one.shares_path.store(true, Relaxed);
            }
        }
    }

    /// Whether both would have the same key, were they not numbered.
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

    /// Which one the family is of those that share path and location, from 1.
    pub(crate) fn nth(self) -> u32 {
        self.0.nth()
    }

    /// Returns whether this is the text of the key.
    pub(crate) fn is(self, text: &str) -> bool {
        // Most texts are names or paths, which seldom end as a key does.
        let ends_as_key = text.ends_with(|last: char| last == ')' || last.is_ascii_digit());
        let mut rest = Rest(text);
        ends_as_key && write!(rest, "{self}").is_ok() && rest.0.is_empty()
    }

    /// Returns whether another family has the same path.
    pub(crate) fn shares_path(self) -> bool {
        self.0.shares_path.load(Relaxed)
    }

    /// Returns what a sentence calls the family: its name, or more if others answer to that.
    pub(crate) fn label(self) -> impl Display {
        KeyLabel(self)
    }

    /// Returns the family's name, or its path if others answer to that.
    pub(crate) fn name_or_path(self) -> &'static str {
        if self.0.shares_name.load(Relaxed) {
            self.path()
        } else {
            self.0.name
        }
    }

    /// What families are sorted by, and are the same by.
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
        let place = self.location();
        write!(f, "{} ({place}", Shown(self.path()))?;
        match place.crate_version {
            "" => {}
            version => write!(f, ", {}", Shown(version))?,
        }
        f.write_char(')')?;
        match self.nth() {
            0 | 1 => Ok(()),
            nth => write!(f, " #{nth}"),
        }
    }
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
    /// By path, then by place.
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
    /// As its text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The shortest text of those that are a family's own, as of this moment.
struct KeyLabel(FamilyKey);

impl Display for KeyLabel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let key = self.0;
        let name = key.name_or_path();
        if name == key.path() && key.shares_path() {
            return write!(f, "{key}");
        }
        write!(f, "{}", Shown(name))
    }
}

/// What is left of a text that is compared with what is written.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
        let new = |name, path| Identity::new(name, Path::RunTime(path), place);
        let leak = |identity: Identity| -> &'static Identity { Box::leak(Box::new(identity)) };
        let (tree, list) = (
            leak(new("Node", "tree::Node")),
            leak(new("Node", "list::Node")),
        );
        let label = |identity| FamilyKey::of(identity).label().to_string();
        assert_eq!(label(tree), "Node");
        list.account_shared(tree);
        assert_eq!([tree, list].map(label), ["tree::Node", "list::Node"]);
        let twin = leak(new("Node", "tree::Node"));
        twin.account_shared(tree);
        twin.set_nth(2);
        assert_eq!(label(tree), "tree::Node (src/a.rs:7:5)");
        assert_eq!(label(twin), "tree::Node (src/a.rs:7:5) #2");
        let run_time = leak(new("list::Node", "list::Node"));
        run_time.account_shared(list);
        assert_eq!(label(list), "list::Node (src/a.rs:7:5)");
    }
}
