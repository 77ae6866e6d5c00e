//! The message about an unknown name, with similar names.

use core::fmt::{self, Display, Formatter};

use crate::shown::Shown;
use crate::snapshot::Snapshot;

/// The most names that are listed.
const LISTED: usize = 3;

/// The most characters of a name that are compared.
const COMPARED: usize = 64;

/// The least characters of a part of a name that counts as similar.
const SHORTEST_PART: usize = 2;

/// The message about a name that no family has.
pub(super) struct Unknown<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) name: &'a str,
}

impl Display for Unknown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "no page family is named `{}`", Shown(self.name))?;
        let near = Nearest::of(self.snapshot, self.name);
        let mut before = "; similar names: ";
        for (_, name) in near.names.iter().flatten() {
            write!(f, "{before}`{}`", Shown(name))?;
            before = ", ";
        }
        Ok(())
    }
}

/// The nearest names, each with its distance, the nearest first; no name twice.
struct Nearest {
    names: [Option<(usize, &'static str)>; LISTED],
}

impl Nearest {
    /// Searches names; and paths, too, if the unknown name is a path.
    fn of(snapshot: &Snapshot, asked: &str) -> Self {
        let wanted = Folded::of(asked);
        let is_path = asked.contains("::");
        let mut nearest = Self {
            names: [None; LISTED],
        };
        for family in &snapshot.families {
            nearest.consider(&wanted, family.name);
            if is_path {
                nearest.consider(&wanted, family.path);
            }
        }
        nearest
    }

    /// Inserts a name if it is nearer than one that was found so far.
    fn consider(&mut self, wanted: &Folded, name: &'static str) {
        let known = self.names.iter().flatten().any(|(_, found)| *found == name);
        let Some(distance) = wanted.distance(&Folded::of(name)) else {
            return;
        };
        let is_nearer = |found: &Option<_>| found.is_none_or(|(other, _)| distance < other);
        let place = self.names.iter().position(is_nearer);
        if let (Some(place), false) = (place, known) {
            self.names[place..].rotate_right(1);
            self.names[place] = Some((distance, name));
        }
    }
}

/// The first characters of a name, with their case folded.
struct Folded {
    characters: [char; COMPARED],
    length: usize,
}

impl Folded {
    /// Folds a name.
    fn of(name: &str) -> Self {
        let mut folded = Self {
            characters: ['\0'; COMPARED],
            length: 0,
        };
        for (place, c) in folded.characters.iter_mut().zip(name.chars()) {
            // Some characters fold into several; the first is enough to compare.
            *place = c.to_lowercase().next().unwrap_or(c);
            folded.length += 1;
        }
        folded
    }

    /// Returns the characters.
    fn characters(&self) -> &[char] {
        &self.characters[..self.length]
    }

    /// Returns the distance of two names, or `None` if they are not similar.
    ///
    /// At most every third character may differ. If one name is part of the other, they are
    /// similar too, but at a larger distance than any of those.
    fn distance(&self, other: &Self) -> Option<usize> {
        let longer = self.length.max(other.length);
        let difference = self.length.abs_diff(other.length);
        let allowed = longer / 3;
        let edits = (difference <= allowed)
            .then(|| edits(self.characters(), other.characters()))
            .filter(|edits| *edits <= allowed);
        let parts = || (self.has_part(other) || other.has_part(self)).then_some(longer);
        edits.or_else(|| parts().map(|length| COMPARED + length))
    }

    /// Returns whether the other name is part of this one.
    fn has_part(&self, other: &Self) -> bool {
        other.length >= SHORTEST_PART
            && self
                .characters()
                .windows(other.length)
                .any(|part| part == other.characters())
    }
}

/// Counts the characters to insert, remove or replace to get from one name to the other
/// (Levenshtein's distance), keeping one row of the matrix.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut row: [usize; COMPARED + 1] = core::array::from_fn(|column| column);
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, distance: Option<usize>) {
        assert_eq!(Folded::of(a).distance(&Folded::of(b)), distance);
        assert_eq!(Folded::of(b).distance(&Folded::of(a)), distance);
    }

    #[test]
    fn distances() {
        check("session", "SESSION", Some(0));
        check("Sesion", "Session", Some(1));
        check("kitten", "sitting", None);
        check("Post", "Posting", Some(COMPARED + 7));
        check("gzip", "plugin:gzip", Some(COMPARED + 11));
        check("Émile", "émilie", Some(1));
        check("", "", Some(0));
        check("", "E", None);
        check("e", "Emp", None);
    }

    #[test]
    fn long_names_compare_by_their_beginnings() {
        let long = "x".repeat(1_000);
        check(&long, &"x".repeat(COMPARED), Some(0));
        check(&long, &"y".repeat(1_000), None);
    }
}
