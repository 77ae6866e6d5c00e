//! A function by its name: where it is defined, and its type arguments.

use super::text::{closing, find_outside, split_arguments};

/// A function of one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Function {
    /// The path of what it belongs to: that of its file, or of its type.
    pub(super) module: String,
    pub(super) name: String,
    /// Type arguments of its type and its own, without those that are defaults. Symbols of the legacy mangling have
    /// none.
    pub(super) arguments: Vec<String>,
    /// The whole name, for people, where it is known.
    pub(super) shown: String,
}

impl Function {
    /// Reads a name of DWARF: `grow_one<app::Session, alloc::alloc::Global>`.
    pub(super) fn from_entry(module: String, name: &str) -> Self {
        let (name, arguments) = split_arguments(name);
        Self {
            module,
            name: name.to_owned(),
            arguments: owned(arguments),
            shown: name.to_owned(),
        }
    }

    /// Reads a symbol that was demangled.
    pub(super) fn from_symbol(symbol: &str, has_arguments: bool) -> Self {
        let mut function = if symbol.starts_with('<') {
            method(symbol)
        } else {
            path(symbol)
        };
        // `_` is an argument that the symbol does not say.
        if !has_arguments || function.arguments.iter().any(|argument| argument == "_") {
            function.arguments.clear();
        }
        symbol.clone_into(&mut function.shown);
        function
    }

    /// The function of a symbol whose file is known: `module` is that of the file, as far as it has one.
    pub(super) fn in_file(self, module: String) -> Self {
        Self {
            module: if module.is_empty() {
                self.module
            } else {
                module
            },
            shown: self.name.clone(),
            ..self
        }
    }

    /// Whether it is in a module, or in one below.
    pub(super) fn is_in(&self, module: &str) -> bool {
        let below = self.module.strip_prefix(module);
        below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
    }

    /// Returns the name of the crate; empty if it is none.
    pub(super) fn crate_name(&self) -> &str {
        let end = self.module.find("::").unwrap_or(self.module.len());
        &self.module[..end]
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// Reads `<Type>::name` and `<Type as Trait>::name`.
fn method(symbol: &str) -> Function {
    let Some(close) = closing(symbol, 0) else {
        return Function::default();
    };
    let inner = &symbol[1..close];
    let (own, of_trait) = match find_outside(inner, " as ") {
        Some(at) => (&inner[..at], &inner[at + " as ".len()..]),
        None => (inner, ""),
    };
    let (module, mut arguments) = owner(own, of_trait);
    let rest = symbol[close + 1..].trim_start_matches("::");
    let end = find_outside(rest, "::{").unwrap_or(rest.len());
    let (name, more) = split_arguments(&rest[..end]);
    arguments.extend(more);
    Function {
        module,
        name: name.to_owned(),
        arguments: owned(arguments),
        shown: String::new(),
    }
}

/// Returns the module and the type arguments of the type that a method belongs to.
fn owner<'a>(own: &'a str, of_trait: &str) -> (String, Vec<&'a str>) {
    if own == "str" {
        return ("alloc::str".to_owned(), Vec::new());
    }
    if let Some(item) = own
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return ("alloc::slice".to_owned(), vec![item]);
    }
    let (path, arguments) = split_arguments(own);
    if path.contains("::") && path.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return (path.to_owned(), arguments);
    }
    // A reference, a tuple: the trait says where the function is.
    (split_arguments(of_trait).0.to_owned(), vec![own])
}

/// Reads `a::b::name::<arguments>`, and `a::Type<arguments>::name`, as the legacy mangling has it.
fn path(symbol: &str) -> Function {
    let end = find_outside(symbol, "::{").unwrap_or(symbol.len());
    let (path, arguments) = split_arguments(&symbol[..end]);
    let at = last_colons(path);
    let (module, name) = at.map_or(("", path), |at| (&path[..at], &path[at + 2..]));
    let (module, of_type) = split_arguments(module);
    Function {
        module: module.to_owned(),
        name: name.to_owned(),
        arguments: owned(of_type.into_iter().chain(arguments).collect()),
        shown: String::new(),
    }
}

/// Returns the index of the last `::` outside of brackets.
fn last_colons(path: &str) -> Option<usize> {
    let (mut at, mut found) = (0, None);
    while let Some(next) = find_outside(&path[at..], "::") {
        found = Some(at + next);
        at += next + 2;
    }
    found
}
