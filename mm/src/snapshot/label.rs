//! The text by which a reader can identify a family.

use std::collections::HashMap;

use super::FamilySnapshot;

/// The shortest text that means one family and no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Label {
    /// Its name.
    #[default]
    Name,
    /// Its path, since another family answers to the name.
    Path,
    /// Its key, since another family has the path too.
    Key,
}

/// The number of families that a text matches.
#[derive(Clone, Copy, Default)]
struct Matches {
    /// By name or path.
    families: usize,
    /// By path.
    paths: usize,
}

/// Sets the label of each family.
///
/// No two labels are the same text: a name is only used where no other family has it as name or
/// path, and a path only where no other family has that path.
pub(super) fn assign(families: &mut [FamilySnapshot]) {
    let matches = count(families);
    for family in families {
        family.label = if matches[family.name].families == 1 {
            Label::Name
        } else if matches[family.path].paths == 1 {
            Label::Path
        } else {
            Label::Key
        };
    }
}

/// Counts the families that each name and each path matches.
fn count(families: &[FamilySnapshot]) -> HashMap<&'static str, Matches> {
    let mut matches: HashMap<&'static str, Matches> = HashMap::with_capacity(families.len() * 2);
    for family in families {
        let of_the_path = matches.entry(family.path).or_default();
        of_the_path.families += 1;
        of_the_path.paths += 1;
        // A run-time family's path is its name, and is one match.
        if family.name != family.path {
            matches.entry(family.name).or_default().families += 1;
        }
    }
    matches
}
