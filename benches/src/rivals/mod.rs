//! Who is measured, and what each must be able to do.

mod global;
mod mm;
mod plurality;
mod slab;

use ::mm::MmManaged;

pub(crate) use self::global::Global;
pub(crate) use self::mm::Mm;
pub(crate) use self::plurality::Plurality;
pub(crate) use self::slab::Slab;
use crate::values::Plain;
use crate::workloads::{Workload, catalogue};

/// A rival by name, with the workloads compiled for it.
pub(crate) type Entry = (&'static str, fn() -> Vec<Workload>);

/// The name of mm among the rivals, to which all others are compared.
pub(crate) const OURS: &str = "mm";

/// The one rival that gives out keys instead of addresses.
pub(crate) const KEYED: &str = "slab";

/// All that are measured, in the order of the table's columns.
pub(crate) const RIVALS: &[Entry] = &[
    (OURS, catalogue::<Mm>),
    ("glibc", catalogue::<Global<std::alloc::System>>),
    #[cfg(feature = "c-rivals")]
    ("mimalloc", catalogue::<Global<mimalloc::MiMalloc>>),
    #[cfg(feature = "c-rivals")]
    ("jemalloc", catalogue::<Global<tikv_jemallocator::Jemalloc>>),
    #[cfg(feature = "c-rivals")]
    ("rpmalloc", catalogue::<Global<rpmalloc::RpMalloc>>),
    ("rallocator", catalogue::<Global<rallocator::Rallocator>>),
    ("plurality", catalogue::<Plurality>),
    (KEYED, catalogue::<Slab>),
];

/// A type of which every rival can hold values.
pub(crate) trait Value: MmManaged + Send + 'static {
    /// Makes the value of a number.
    fn of(number: u32) -> Self;
}

/// One that hands out memory for values.
pub(crate) trait Rival: 'static {
    /// Where one thread keeps its values of one type.
    type Store<T: Value>: Store<T>;
    /// The same for values that go to other threads, alone or with their store.
    type Sent: Store<Plain, Held: Send + 'static> + Send + 'static;
    /// Zeroed rows of values.
    type Row: Row;
    /// Where trees stand.
    type Forest: Forest;
    /// Values of many families.
    type Families: Families;

    /// Gives back what can be given back, if the rival has a call for that.
    fn trim() {}
}

/// Where one thread keeps its values of one type.
pub(crate) trait Store<T>: Default {
    /// One value that is kept.
    type Held;

    /// Moves a value into memory of its own.
    fn keep(&mut self, value: T) -> Self::Held;

    /// Releases a value and its memory.
    fn release(&mut self, held: Self::Held);

    /// Returns what releases a value on any thread, if that can be done without the store.
    fn release_anywhere() -> Option<fn(Self::Held)> {
        Some(drop)
    }
}

/// A zeroed row of values; dropping releases it.
pub(crate) trait Row: Sized {
    /// Allocates a row, if the rival has rows.
    fn zeroed(units: usize) -> Option<Self>;

    /// Writes to the first and to the last unit.
    fn touch_ends(&mut self, number: u32);
}

/// Where binary trees stand.
pub(crate) trait Forest: Default {
    /// A tree, owned.
    type Tree;

    /// Makes a tree of two others.
    fn join(&mut self, left: Option<Self::Tree>, right: Option<Self::Tree>) -> Self::Tree;

    /// Releases a tree.
    fn fell(&mut self, tree: Self::Tree);
}

/// One live value of each of many families.
pub(crate) trait Families: Sized {
    /// Makes the first value of each, if there are as many families.
    fn new(count: usize) -> Option<Self>;

    /// Makes `each` values of each of `count` families, for good. Returns `false` if there are fewer families.
    fn leave(count: usize, each: u32) -> bool;

    /// Replaces the value of each family, one family after the other.
    fn replace_all(&mut self, number: u32);
}

/// Rows of those that have none.
pub(crate) enum NoRow {}

impl Row for NoRow {
    fn zeroed(_: usize) -> Option<Self> {
        None
    }

    fn touch_ends(&mut self, _: u32) {
        match *self {}
    }
}
