//! Which collection a block belongs to.

use super::text::{shorten, split, split_arguments};

/// What owns blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The buffer of a vector, whatever is around it.
    Buffer,
    Vec,
    Deque,
    Heap,
    /// A text, by the name of its type: `String`.
    Text(&'static str),
    Box,
    BoxedSlice,
    Arc,
    Rc,
    /// The table of a map, whatever is around it.
    Table,
    Map,
    Set,
    Tree,
    TreeSet,
    List,
}

/// What a block belongs to, with its type arguments; without them they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) kind: Kind,
    pub(super) arguments: Vec<String>,
}

/// Types of heap blocks that belong to one collection, and the number of arguments that it has of them.
const PARTS: [(&str, Kind, usize); 6] = [
    ("alloc::sync::ArcInner", Kind::Arc, 1),
    ("alloc::rc::RcInner", Kind::Rc, 1),
    ("alloc::rc::RcBox", Kind::Rc, 1),
    ("alloc::collections::btree::node::LeafNode", Kind::Tree, 2),
    (
        "alloc::collections::btree::node::InternalNode",
        Kind::Tree,
        2,
    ),
    ("alloc::collections::linked_list::Node", Kind::List, 1),
];

/// How a table's second argument begins, the closure that hashes, if the table is that of a map.
const OF_MAP: &str = "hashbrown::map::make_hasher";

/// The value of the tree that a set is.
const NO_VALUE: &str = "alloc::collections::btree::set_val::SetValZST";

impl Owner {
    /// The owner of a box of `item`: some boxes are parts of collections.
    pub(super) fn of_box(item: &str) -> Self {
        let (path, arguments) = split_arguments(item);
        if path == "core::mem::maybe_uninit::MaybeUninit"
            && let [item] = *arguments
        {
            return Self::of_box(item);
        }
        let part = PARTS.iter().find(|(part, ..)| *part == path);
        let (kind, arguments) = match part {
            Some((_, kind, count)) => (*kind, arguments.into_iter().take(*count).collect()),
            None => (Kind::Box, vec![item]),
        };
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Self { kind, arguments }
    }

    /// Whether a collection of this kind and these arguments consists of `inner`: a `String` of a buffer of bytes.
    pub(super) fn consists_of(&self, inner: &Self) -> bool {
        let is_buffer = inner.kind == Kind::Buffer || inner.kind == Kind::Vec;
        match (self.kind, inner.kind) {
            (Kind::Text(_), Kind::Text(_)) => true,
            (Kind::Text(_), _) => is_buffer && inner.arguments.iter().all(|item| item == "u8"),
            (Kind::Buffer | Kind::Vec | Kind::Deque | Kind::Heap | Kind::BoxedSlice, _) => {
                (is_buffer || inner.kind == self.kind) && self.agrees_with(inner)
            }
            (Kind::Table, Kind::Table) | (Kind::TreeSet, Kind::Tree) => self.agrees_with(inner),
            (Kind::Map | Kind::Set, Kind::Table) => self.is_pair(inner),
            (Kind::Set, Kind::Map) => inner.arguments.get(1).is_none_or(|value| value == "()"),
            _ => self == inner,
        }
    }

    /// Whether the first arguments are the same, as far as they are known.
    fn agrees_with(&self, inner: &Self) -> bool {
        match (self.arguments.first(), inner.arguments.first()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    /// Returns this with the arguments of `inner` if those say more.
    pub(super) fn around(mut self, inner: Option<Self>) -> Self {
        let is_same = inner.as_ref().is_some_and(|inner| inner.kind == self.kind);
        if let Some(inner) = inner.filter(|_| is_same || self.arguments.is_empty())
            && inner.arguments.len() > self.arguments.len()
        {
            self.arguments = inner.arguments;
        }
        self
    }

    /// Whether `inner` is a table of this map's pairs.
    fn is_pair(&self, inner: &Self) -> bool {
        let Some(pair) = inner.arguments.first() else {
            return true;
        };
        let pair = pair
            .strip_prefix('(')
            .and_then(|pair| pair.strip_suffix(')'));
        let parts = split(pair.unwrap_or_default());
        parts
            .iter()
            .zip(&self.arguments)
            .all(|(one, other)| one == other)
    }

    /// Writes the type; `None` if it is not known.
    pub(super) fn name(&self) -> Option<String> {
        if let Kind::Text(name) = self.kind {
            return Some(name.to_owned());
        }
        if let (Kind::Table, [pair, hasher, ..]) = (self.kind, &*self.arguments)
            && hasher.starts_with(OF_MAP)
        {
            return Self::map_of(pair)?.name();
        }
        let (name, count) = self.form();
        let arguments = self.arguments.iter().take(count);
        let arguments: Vec<_> = arguments.map(|one| shorten(one)).collect();
        let list = arguments.join(", ");
        match self.kind {
            _ if arguments.is_empty() => None,
            Kind::BoxedSlice => Some(format!("{name}<[{list}]>")),
            _ => Some(format!("{name}<{list}>")),
        }
    }

    /// The name, and how many arguments it has.
    fn form(&self) -> (&'static str, usize) {
        let has_value = |nothing| self.arguments.get(1).is_none_or(|value| value != nothing);
        match self.kind {
            Kind::Text(name) => (name, 0),
            Kind::Buffer | Kind::Vec => ("Vec", 1),
            Kind::Deque => ("VecDeque", 1),
            Kind::Heap => ("BinaryHeap", 1),
            Kind::Box | Kind::BoxedSlice => ("Box", 1),
            Kind::Arc => ("Arc", 1),
            Kind::Rc => ("Rc", 1),
            Kind::Table => ("RawTable", 1),
            Kind::Map if has_value("()") => ("HashMap", 2),
            Kind::Map | Kind::Set => ("HashSet", 1),
            Kind::Tree if has_value(NO_VALUE) => ("BTreeMap", 2),
            Kind::Tree | Kind::TreeSet => ("BTreeSet", 1),
            Kind::List => ("LinkedList", 1),
        }
    }

    /// The map of a table's pairs.
    fn map_of(pair: &str) -> Option<Self> {
        let parts = split(pair.strip_prefix('(')?.strip_suffix(')')?);
        Some(Self {
            kind: Kind::Map,
            arguments: parts.into_iter().map(str::to_owned).collect(),
        })
    }
}
