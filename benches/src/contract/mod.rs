//! The traits that each rival implements.

pub(crate) mod values;

use mm::MmManaged;

use self::values::Plain;

/// A type whose values each rival can hold.
pub(crate) trait Value: MmManaged + Send + 'static {
    /// Makes the value for a number.
    fn of(number: u32) -> Self;
}

/// An allocator or a pool.
pub(crate) trait Rival: 'static {
    /// The store of one thread for values of one type.
    type Store<T: Value>: Store<T>;
    /// The store for values that go to other threads, alone or with their store.
    type Sent: Store<Plain, Held: Send + 'static> + Send + 'static;
    /// The type of zeroed rows.
    type Row: Row;
    /// The store for trees.
    type Forest: Forest;
    /// The values of many families.
    type Families: Families;

    /// Returns unused memory to the kernel, if the rival has a call for that.
    fn trim() {}
}

/// The store of one thread for values of one type.
pub(crate) trait Store<T>: Default {
    /// The handle of a value.
    type Held;

    /// Moves a value into memory of its own.
    fn keep(&mut self, value: T) -> Self::Held;

    /// Releases a value and its memory.
    fn release(&mut self, held: Self::Held);

    /// Returns a function that releases a value on any thread, if that works without the store.
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

/// A store for binary trees.
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

    /// Makes `each` values in each of `count` families, and never releases them. Returns `false` if there are
    /// fewer families.
    fn leave(count: usize, each: u32) -> bool;

    /// Replaces the value of each family, one family after the other.
    fn replace_all(&mut self, number: u32);
}

/// The rows of rivals without rows.
pub(crate) enum NoRow {}

impl Row for NoRow {
    fn zeroed(_: usize) -> Option<Self> {
        None
    }

    fn touch_ends(&mut self, _: u32) {
        match *self {}
    }
}
