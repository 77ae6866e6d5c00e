//! plurality: a pool for each type, with boxes that can go to other threads.

use plurality::{Box, Pool};

use super::{Forest, NoRow, Rival, Store, Value};
use crate::values::Plain;
use crate::workloads::OneFamily;

/// Slots that a pool adds at a time. Its default of 32 is for small pools; with a thousand and
/// more the directory of chunks stays short when there are millions of values.
const CHUNK_SLOTS: u32 = 1024;

/// The rival that makes a pool for each type.
pub(crate) struct Plurality;

impl Rival for Plurality {
    type Store<T: Value> = Pooled<T>;
    type Row = NoRow;
    type Forest = Pooled<Tree>;
    type Families = OneFamily<Pooled<Plain>>;
}

/// Keeps values in a pool. Its boxes are the handles that, as `MmBox`, need no borrow of the pool.
pub(crate) struct Pooled<T>(Pool<T>);

impl<T> Default for Pooled<T> {
    fn default() -> Self {
        Self(Pool::builder().chunk_size(CHUNK_SLOTS).build())
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
pub(crate) struct Tree {
    _children: [Option<Box<Tree>>; 2],
}

impl Forest for Pooled<Tree> {
    type Tree = Box<Tree>;

    #[inline]
    fn join(&mut self, left: Option<Box<Tree>>, right: Option<Box<Tree>>) -> Box<Tree> {
        let _children = [left, right];
        self.0.alloc_box(Tree { _children })
    }

    #[inline]
    fn fell(&mut self, tree: Box<Tree>) {
        drop(tree);
    }
}
