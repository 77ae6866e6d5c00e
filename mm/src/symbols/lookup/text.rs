//! Names of Rust types and functions as text: brackets, lists, and short forms.

/// Path segments that begin a name of the standard library.
const STANDARD: [&str; 4] = ["alloc", "core", "std", "hashbrown"];

/// Type arguments that are what every program has unless it says otherwise. They are left out.
const DEFAULTS: [&str; 3] = [
    "alloc::alloc::Global",
    "std::alloc::Global",
    "std::hash::random::RandomState",
];

/// Returns the index of the bracket that closes the one at `open`.
pub(super) fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            // An arrow is no bracket.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// Returns the index at which `pattern` begins outside of all brackets.
pub(super) fn find_outside(text: &str, pattern: &str) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(pattern) {
            return Some(at);
        }
        let first = rest.chars().next()?;
        at = match first {
            '<' | '(' | '[' | '{' => closing(text, at)? + 1,
            _ => at + first.len_utf8(),
        };
    }
    None
}

/// Splits a list at its commas.
pub(super) fn split(mut list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while let Some(at) = find_outside(list, ",") {
        parts.push(list[..at].trim());
        list = &list[at + 1..];
    }
    if !list.trim().is_empty() {
        parts.push(list.trim());
    }
    parts
}

/// Splits `name<arguments>` and `name::<arguments>`. The arguments are without those that are defaults.
pub(super) fn split_arguments(text: &str) -> (&str, Vec<&str>) {
    let open = find_open(text).filter(|open| closing(text, *open) == Some(text.len() - 1));
    match open {
        Some(open) => {
            let name = text[..open].trim_end_matches("::");
            (name, arguments(&text[open + 1..text.len() - 1]))
        }
        None => (text, Vec::new()),
    }
}

/// Returns the last `<` outside of brackets. One at the start has no name.
fn find_open(text: &str) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    while let Some(next) = find_outside(&text[at..], "<") {
        found = Some(at + next).filter(|open| *open > 0);
        at = closing(text, at + next)? + 1;
    }
    found
}

fn arguments(list: &str) -> Vec<&str> {
    let is_default = |argument: &&str| {
        DEFAULTS.contains(&argument.trim_start_matches('&')) || argument.starts_with('\'')
    };
    let all = split(list);
    all.into_iter().filter(|one| !is_default(one)).collect()
}

/// Shortens a type: names of the standard library to their last part, and without arguments that are defaults.
pub(super) fn shorten(text: &str) -> String {
    let mut short = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_alphabetic() || c == '_' {
            rest = shorten_path(rest, &mut short);
        } else {
            short.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    short
}

/// Shortens the path at the start of `text`, with its arguments; returns what comes after it.
fn shorten_path<'a>(text: &'a str, short: &mut String) -> &'a str {
    let end = path_end(text);
    let (path, rest) = text.split_at(end);
    short.push_str(last_part(path));
    let open = if rest.starts_with("::<") { 2 } else { 0 };
    let close = closing(rest, open).filter(|_| rest[open..].starts_with('<'));
    let Some(close) = close else {
        return rest;
    };
    let arguments = arguments(&rest[open + 1..close]);
    if !arguments.is_empty() {
        let arguments: Vec<_> = arguments.into_iter().map(shorten).collect();
        short.push('<');
        short.push_str(&arguments.join(", "));
        short.push('>');
    }
    &rest[close + 1..]
}

/// Returns the length of the path at the start: names, and parts in braces, such as `{closure#0}`.
fn path_end(text: &str) -> usize {
    let mut end = 0;
    loop {
        let part = &text[end..];
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        end += match part.chars().next() {
            Some('{') => closing(part, 0).map_or(part.len(), |close| close + 1),
            _ => part.find(|c| !is_name(c)).unwrap_or(part.len()),
        };
        let next = text[end..].strip_prefix("::");
        let goes_on = next.is_some_and(|next| next.starts_with(|c: char| c == '{' || is_name(c)));
        if !goes_on {
            return end;
        }
        end += "::".len();
    }
}

/// Returns the last name of a path of the standard library, and the parts in braces after it; other paths whole.
fn last_part(path: &str) -> &str {
    let (first, _) = path.split_once("::").unwrap_or((path, ""));
    if !STANDARD.contains(&first) {
        return path;
    }
    let named = find_outside(path, "::{").unwrap_or(path.len());
    match path[..named].rfind("::") {
        Some(at) => &path[at + "::".len()..],
        None => path,
    }
}
