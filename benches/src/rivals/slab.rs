//! slab: one growing vector for each type, with keys instead of addresses.

use crate::contract::values::Plain;
use crate::contract::{Forest, NoRow, Rival, Store, Value};
use crate::workloads::OneFamily;

/// The rival that makes a slab for each type.
pub(crate) struct Slab;

impl Rival for Slab {
    type Store<T: Value> = Keyed<T>;
    type Sent = Keyed<Plain>;
    type Row = NoRow;
    type Forest = Keyed<Tree>;
    type Families = OneFamily<Keyed<Plain>>;
}

/// Keeps values in a slab.
pub(crate) struct Keyed<T>(slab::Slab<T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(slab::Slab::new())
    }
}

impl<T: Value> Store<T> for Keyed<T> {
    type Held = usize;

    #[inline]
    fn keep(&mut self, value: T) -> usize {
        self.0.insert(value)
    }

    #[inline]
    fn release(&mut self, held: usize) {
        self.0.remove(held);
    }

    fn release_anywhere() -> Option<fn(usize)> {
        None
    }
}

/// A tree in entries of a slab.
pub(crate) struct Tree {
    children: [Option<usize>; 2],
}

impl Forest for Keyed<Tree> {
    type Tree = usize;

    #[inline]
    fn join(&mut self, left: Option<usize>, right: Option<usize>) -> usize {
        let children = [left, right];
        self.0.insert(Tree { children })
    }

    fn fell(&mut self, tree: usize) {
        let Tree { children } = self.0.remove(tree);
        for child in children.into_iter().flatten() {
            self.fell(child);
        }
    }
}
