//! mm: a page family for each type.

mod families;

use mm::{MmBox, MmManaged};

use self::families::DerivedFamilies;
use crate::contract::values::Plain;
use crate::contract::{Forest, Rival, Row, Store, Value};

/// The allocator under test.
pub(crate) struct Mm;

impl Rival for Mm {
    type Store<T: Value> = Boxes;
    type Sent = Boxes;
    type Row = MmBox<[Plain]>;
    type Forest = Boxes;
    type Families = DerivedFamilies;

    fn trim() {
        mm::trim();
    }
}

/// Keeps each value in a box of its family.
#[derive(Default)]
pub(crate) struct Boxes;

impl<T: Value> Store<T> for Boxes {
    type Held = MmBox<T>;

    #[inline]
    fn keep(&mut self, value: T) -> MmBox<T> {
        MmBox::new(value)
    }

    #[inline]
    fn release(&mut self, held: MmBox<T>) {
        drop(held);
    }
}

/// A tree of boxes.
#[derive(MmManaged)]
#[expect(dead_code, reason = "the children are there to be released")]
pub(crate) struct Tree([Option<MmBox<Tree>>; 2]);

impl Forest for Boxes {
    type Tree = MmBox<Tree>;

    #[inline]
    fn join(&mut self, left: Option<MmBox<Tree>>, right: Option<MmBox<Tree>>) -> MmBox<Tree> {
        MmBox::new(Tree([left, right]))
    }

    #[inline]
    fn fell(&mut self, tree: MmBox<Tree>) {
        drop(tree);
    }
}

impl Row for MmBox<[Plain]> {
    #[inline]
    fn zeroed(units: usize) -> Option<Self> {
        Some(Plain::xcalloc(units))
    }

    #[inline]
    fn touch_ends(&mut self, number: u32) {
        self[0].0[0] = number;
        let last = self.len() - 1;
        self[last].0[8] = number;
    }
}
