//! plurality: a pool for each type.

use plurality::{Alloc, Box, Pool};

use crate::contract::values::Plain;
use crate::contract::{Forest, NoRow, Rival, Store, Value};
use crate::workloads::OneFamily;

/// The number of slots that a pool adds at a time. The default of 32 is for small pools. A larger number
/// keeps the list of chunks short for millions of values.
const CHUNK_SLOTS: u32 = 1024;

/// The rival that makes a pool for each type.
pub(crate) struct Plurality;

impl Rival for Plurality {
    type Store<T: Value> = Borrowed<T>;
    type Sent = Pooled<Plain>;
    type Row = NoRow;
    type Forest = Borrowed<Tree>;
    type Families = OneFamily<Borrowed<Plain>>;
}

fn pool<T>() -> Pool<T> {
    Pool::builder().chunk_size(CHUNK_SLOTS).build()
}

/// Keeps values in a pool by its cheapest handles. They borrow the pool, so it is never freed. At the end it
/// is empty.
pub(crate) struct Borrowed<T: 'static>(&'static Pool<T>);

impl<T> Default for Borrowed<T> {
    fn default() -> Self {
        Self(std::boxed::Box::leak(std::boxed::Box::new(pool())))
    }
}

impl<T: Value> Store<T> for Borrowed<T> {
    type Held = Alloc<'static, T>;

    #[inline]
    fn keep(&mut self, value: T) -> Self::Held {
        self.0.alloc(value)
    }

    #[inline]
    fn release(&mut self, held: Self::Held) {
        drop(held);
    }
}

/// Keeps values in a pool by handles that can go to other threads.
pub(crate) struct Pooled<T>(Pool<T>);

impl<T> Default for Pooled<T> {
    fn default() -> Self {
        Self(pool())
    }
}

impl<T: Value> Store<T> for Pooled<T> {
    type Held = Box<T>;

    #[inline]
    fn keep(&mut self, value: T) -> Box<T> {
        self.0.alloc_box(value)
    }

    #[inline]
    fn release(&mut self, held: Box<T>) {
        drop(held);
    }
}

/// A tree in slots of a pool.
#[expect(dead_code, reason = "the children are there to be released")]
pub(crate) struct Tree([Option<Alloc<'static, Tree>>; 2]);

impl Forest for Borrowed<Tree> {
    type Tree = Alloc<'static, Tree>;

    #[inline]
    fn join(&mut self, left: Option<Self::Tree>, right: Option<Self::Tree>) -> Self::Tree {
        self.0.alloc(Tree([left, right]))
    }

    #[inline]
    fn fell(&mut self, tree: Self::Tree) {
        drop(tree);
    }
}
