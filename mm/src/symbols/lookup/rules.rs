//! Which functions of the standard library allocate for which collection.

use super::function::Function;
use super::kind::{Kind, Owner};

/// What a function says about the block that is allocated below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The block belongs to this, as far as what is below consists of it.
    Owner(Owner),
    /// Nothing; the next frame may.
    Passes,
    /// It is not known what the function does.
    Unknown,
}

/// What functions of a module allocate for.
struct Rule {
    /// A module, with those below it.
    module: &'static str,
    /// Names of functions; all if there are none.
    functions: &'static [&'static str],
    makes: Makes,
    /// Whether this holds even if calls were inlined into the function that are not known: it then allocates nothing
    /// but this.
    alone: bool,
}

enum Makes {
    /// A collection of the function's first arguments, so many.
    Of(Kind, usize),
    /// A box of its first argument.
    Boxed,
    Nothing,
}

use Makes::{Boxed, Nothing, Of};

const ALL: &[&str] = &[];

const NEW: &[&str] = &[
    "box_new",
    "new",
    "new_in",
    "new_uninit",
    "new_uninit_in",
    "new_zeroed",
    "new_zeroed_in",
    "pin",
    "pin_in",
    "try_new",
    "try_new_in",
    "try_new_uninit",
    "try_new_uninit_in",
];

const OF_SLICES: &[&str] = &[
    "new_uninit_slice",
    "new_uninit_slice_in",
    "new_zeroed_slice",
    "new_zeroed_slice_in",
];

const SHARED: &[&str] = &["allocate_for_layout", "try_allocate_for_layout"];

const OF_TEXTS: &[&str] = &[
    "clone",
    "extend_from_within",
    "format",
    "format_inner",
    "from",
    "insert",
    "insert_str",
    "push",
    "push_str",
    "push_str_slice",
    "reserve",
    "reserve_exact",
    "shrink_to_fit",
    "to_lowercase",
    "to_owned",
    "to_uppercase",
    "try_reserve",
    "with_capacity",
    "write_char",
    "write_str",
];

const fn rule(
    module: &'static str,
    functions: &'static [&'static str],
    makes: Makes,
    alone: bool,
) -> Rule {
    Rule {
        module,
        functions,
        makes,
        alone,
    }
}

/// The first that applies holds.
const RULES: &[Rule] = &[
    rule("alloc::raw_vec", ALL, Of(Kind::Buffer, 1), true),
    // Vectors. Others than these have the vector's items as their first argument.
    rule("alloc::vec::splice", ALL, Nothing, false),
    rule(
        "alloc::vec",
        &["push", "reserve", "with_capacity", "with_capacity_in"],
        Of(Kind::Vec, 1),
        true,
    ),
    rule("alloc::vec", ALL, Of(Kind::Vec, 1), false),
    rule(
        "alloc::slice",
        &["to_vec", "to_vec_in", "repeat"],
        Of(Kind::Vec, 1),
        false,
    ),
    rule("alloc::slice", ALL, Nothing, false),
    rule(
        "alloc::collections::vec_deque",
        &["grow", "push_back", "push_front"],
        Of(Kind::Deque, 1),
        true,
    ),
    rule(
        "alloc::collections::vec_deque",
        ALL,
        Of(Kind::Deque, 1),
        false,
    ),
    rule(
        "alloc::collections::binary_heap",
        ALL,
        Of(Kind::Heap, 1),
        false,
    ),
    // Texts.
    rule("alloc::string", OF_TEXTS, Of(Kind::Text("String"), 0), true),
    rule("alloc::string", ALL, Of(Kind::Text("String"), 0), false),
    rule(
        "alloc::str",
        &["into_boxed_bytes", "into_boxed_str"],
        Nothing,
        false,
    ),
    rule("alloc::str", OF_TEXTS, Of(Kind::Text("String"), 0), true),
    rule("alloc::str", ALL, Of(Kind::Text("String"), 0), false),
    rule("alloc::fmt", ALL, Of(Kind::Text("String"), 0), true),
    rule(
        "alloc::ffi::c_str",
        ALL,
        Of(Kind::Text("CString"), 0),
        false,
    ),
    rule(
        "std::ffi::os_str",
        ALL,
        Of(Kind::Text("OsString"), 0),
        false,
    ),
    rule(
        "std::sys::os_str",
        ALL,
        Of(Kind::Text("OsString"), 0),
        false,
    ),
    rule("std::path", ALL, Of(Kind::Text("PathBuf"), 0), false),
    // One value.
    rule("alloc::boxed", NEW, Boxed, true),
    rule("alloc::boxed", OF_SLICES, Of(Kind::BoxedSlice, 1), true),
    rule("alloc::boxed", ALL, Nothing, false),
    rule("alloc::sync", SHARED, Of(Kind::Arc, 1), true),
    rule("alloc::sync", &["new"], Of(Kind::Arc, 1), true),
    rule("alloc::sync", ALL, Nothing, false),
    rule("alloc::rc", SHARED, Of(Kind::Rc, 1), true),
    rule("alloc::rc", &["new"], Of(Kind::Rc, 1), true),
    rule("alloc::rc", ALL, Nothing, false),
    rule("alloc::borrow", ALL, Nothing, false),
    // Trees and lists: their nodes are boxes.
    rule(
        "alloc::collections::btree::map",
        &["insert", "insert_entry"],
        Of(Kind::Tree, 2),
        true,
    ),
    rule(
        "alloc::collections::btree::set",
        &["insert"],
        Of(Kind::TreeSet, 1),
        true,
    ),
    rule("alloc::collections::btree", ALL, Nothing, false),
    rule("alloc::collections::linked_list", ALL, Nothing, false),
    // Tables.
    rule("hashbrown::alloc", ALL, Nothing, true),
    rule("hashbrown::raw::alloc", ALL, Nothing, true),
    rule("hashbrown::raw", ALL, Of(Kind::Table, 1), true),
    rule("hashbrown::map", ALL, Of(Kind::Map, 2), false),
    rule("hashbrown::rustc_entry", ALL, Of(Kind::Map, 2), false),
    rule("hashbrown::set", ALL, Of(Kind::Set, 1), false),
    rule(
        "std::collections::hash::map",
        &["insert", "reserve", "with_capacity"],
        Of(Kind::Map, 2),
        true,
    ),
    rule("std::collections::hash::map", ALL, Of(Kind::Map, 2), false),
    rule(
        "std::collections::hash::set",
        &["insert", "reserve", "with_capacity"],
        Of(Kind::Set, 1),
        true,
    ),
    rule("std::collections::hash::set", ALL, Of(Kind::Set, 1), false),
];

/// Returns what a function says about the block that is allocated below it. `is_whole` says that all functions that
/// were inlined into it are known.
pub(super) fn find(function: &Function, is_whole: bool) -> Finding {
    let rule = RULES.iter().find(|rule| rule.is_about(function));
    match rule {
        Some(rule) if is_whole || rule.alone => rule.finding(function),
        _ => Finding::Unknown,
    }
}

impl Rule {
    fn is_about(&self, function: &Function) -> bool {
        let is_named = self.functions.is_empty() || self.functions.contains(&&*function.name);
        is_named && function.is_in(self.module)
    }

    fn finding(&self, function: &Function) -> Finding {
        let arguments = &function.arguments;
        match self.makes {
            Nothing => Finding::Passes,
            // As in `RawVecInner`, the rest of which does not know its items.
            Of(Kind::Buffer, _) if arguments.is_empty() => Finding::Owner(owner(Kind::Buffer, &[])),
            // The second one may be the closure that hashes the keys of a map.
            Of(Kind::Table, _) => {
                Finding::Owner(owner(Kind::Table, &arguments[..arguments.len().min(2)]))
            }
            Of(kind, count) => match arguments.get(..count) {
                Some(arguments) => Finding::Owner(owner(kind, arguments)),
                None => Finding::Passes,
            },
            Boxed => match arguments.first() {
                Some(item) => Finding::Owner(Owner::of_box(item)),
                None => Finding::Passes,
            },
        }
    }
}

fn owner(kind: Kind, arguments: &[String]) -> Owner {
    Owner {
        kind,
        arguments: arguments.to_vec(),
    }
}
