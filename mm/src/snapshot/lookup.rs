//! Look-up of families by a text: a key, a path, a name, or the end of a path.

use super::FamilyKey;

/// Name, path and key of a family.
type Names = (&'static str, &'static str, FamilyKey);

/// A text that selects families: those that have it as name, path or key or, if there are none, those
/// whose path ends with it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    text: &'a str,
    by_end: bool,
}

impl<'a> Wanted<'a> {
    /// Finds out whether any family has the text, or whether it can only be the end of a path. `names` returns
    /// name, path and key of a family.
    pub(crate) fn of<F>(text: &'a str, families: &[F], names: impl Fn(&F) -> Names) -> Self {
        let by_end = !families
            .iter()
            .any(|family| is_exactly(text, names(family)));
        Self { text, by_end }
    }

    /// Returns whether the text selects a family of these names.
    pub(crate) fn includes(self, names: Names) -> bool {
        if self.by_end {
            is_end(self.text, names.1)
        } else {
            is_exactly(self.text, names)
        }
    }
}

/// Returns the family that a text selects: the only one with that key, else the only one with that path, else
/// the only one with that name or path. If no family has the text, the only one whose path ends with it.
pub(crate) fn one_of<'a, F>(
    families: &'a [F],
    text: &str,
    names: impl Fn(&F) -> Names,
) -> Option<&'a F> {
    let has_key = |family: &&F| names(family).2.is(text);
    let has_path = |family: &&F| names(family).1 == text;
    let wanted = Wanted::of(text, families, &names);
    let is_wanted = |family: &&F| wanted.includes(names(family));
    only(families.iter().filter(has_key))
        .or_else(|| only(families.iter().filter(has_path)))
        .or_else(|| only(families.iter().filter(is_wanted)))
}

/// Returns the only item of an iterator; `None` if it has none or several.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

fn is_exactly(text: &str, (name, path, key): Names) -> bool {
    name == text || path == text || key.is(text)
}

/// Returns whether a text is the last parts of a path, each of them whole: `b::Node` of `a::b::Node`.
fn is_end(text: &str, path: &str) -> bool {
    let before = path.strip_suffix(text);
    let before = before.and_then(|before| before.strip_suffix("::"));
    !text.is_empty() && before.is_some_and(closes_its_brackets)
}

/// Returns whether a part of a path ends outside of the parameters of a type.
fn closes_its_brackets(part: &str) -> bool {
    let (mut open, mut last) = (0_i32, ' ');
    for character in part.chars() {
        match character {
            '<' | '(' | '[' | '{' => open += 1,
            // The arrow of `fn() -> u8`.
            '>' if last == '-' => {}
            '>' | ')' | ']' | '}' => open -= 1,
            _ => {}
        }
        last = character;
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use super::is_end;

    #[test]
    fn an_end_is_of_whole_parts() {
        for end in ["Node", "b::Node"] {
            assert!(is_end(end, "a::b::Node"), "{end}");
        }
        for no_end in [
            "a::b::Node",
            "::Node",
            ":Node",
            "ode",
            "Nod",
            "a::b",
            "",
            "B::Node",
        ] {
            assert!(!is_end(no_end, "a::b::Node"), "{no_end}");
        }
    }

    #[test]
    fn parameters_are_no_parts() {
        let path = "a::<impl a::T>::go::Node<b::Key, fn() -> c::Key>";
        assert!(is_end("Node<b::Key, fn() -> c::Key>", path));
        assert!(is_end("go::Node<b::Key, fn() -> c::Key>", path));
        assert!(!is_end("Key>", path));
        assert!(!is_end("Key, fn() -> c::Key>", path));
        assert!(!is_end("T>::go::Node<b::Key, fn() -> c::Key>", path));
    }
}
