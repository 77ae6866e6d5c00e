//! How to name a family so that a reader can identify it.

use std::collections::HashMap;

use super::FamilySnapshot;

/// The kind of text that identifies a family: the shortest that is unique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Label {
    /// Its name.
    #[default]
    Name,
    /// Its path, since another family has the name as its name or path.
    Path,
    /// Its key, since another family has the same path.
    Key,
}

/// How many families have some text as their name or path.
#[derive(Clone, Copy, Default)]
struct Matches {
    /// Families that have it as their name, their path, or both.
    by_name_or_path: usize,
    /// Families that have it as their path.
    by_path: usize,
}

/// Sets every family's label.
///
/// No two labels are the same text: a name is used only if no other family has it as name or path, and a path
/// only if no other family has the same path.
pub(super) fn assign(families: &mut [FamilySnapshot]) {
    let matches = count(families);
    for family in families {
        family.label = if matches[family.name].by_name_or_path == 1 {
            Label::Name
        } else if matches[family.path].by_path == 1 {
            Label::Path
        } else {
            Label::Key
        };
    }
}

/// Counts, for each name and each path, the families that have it.
fn count(families: &[FamilySnapshot]) -> HashMap<&'static str, Matches> {
    let mut matches: HashMap<&'static str, Matches> = HashMap::with_capacity(families.len() * 2);
    for family in families {
        let with_path = matches.entry(family.path).or_default();
        with_path.by_name_or_path += 1;
        with_path.by_path += 1;
        // A run-time family's path is its name. Count the family once.
        if family.name != family.path {
            matches.entry(family.name).or_default().by_name_or_path += 1;
        }
    }
    matches
}
