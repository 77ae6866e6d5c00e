//! A snapshot reads the caches of other threads.

use core::cell::Cell;
use std::rc::Rc;

use super::{LARGE_UNIT, OWNED_UNIT, SMALL_UNIT, UNIT, User, new_heap, release_raw, settled};
use crate::heap::Heap;
use crate::heap::figures::Figures;
use crate::models::{Owned, model, spawn};

/// Blocks that were allocated and released, each counted when its call begins: from then on a
/// snapshot may know of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) allocated: Cell<u64>,
    pub(super) released: Cell<u64>,
}

/// A thread that counts what it does.
pub(super) struct Owner {
    pub(super) user: User<'static>,
    pub(super) done: Rc<Done>,
}

impl Owner {
    pub(super) fn alloc(&self, units: usize) -> Owned {
        self.done.allocated.update(|count| count + 1);
        self.user.alloc(units)
    }

    pub(super) fn release(&self, block: Owned, units: usize) {
        self.done.released.update(|count| count + 1);
        self.user.release(block, units);
    }
}

/// Reads the figures and compares them with what was done, with what is live all the time, and with those
/// before.
pub(super) fn read(heap: &'static Heap, done: &Done, least_live: u64, before: &Figures) -> Figures {
    let now = heap.figures();
    assert!(now.blocks_allocated <= done.allocated.get());
    assert!(now.blocks_released <= done.released.get());
    assert!(now.live_blocks >= least_live);
    assert!(now.blocks_allocated >= before.blocks_allocated);
    assert!(now.blocks_released >= before.blocks_released);
    assert!(now.peak >= before.peak);
    now
}

/// So many snapshots while another thread works. What it leaves is live to the end: a snapshot
/// that took it for released stays wrong. So is a block of the thread that reads.
fn watched(unit: usize, snapshots: usize, work: fn(&Owner) -> Owned) {
    let (heap, done) = (new_heap(unit), Rc::new(Done::default()));
    let block = heap.central().alloc(heap, 1).expect("memory").first;
    done.allocated.set(1);
    let owner = Owner {
        user: User::of(heap),
        done: Rc::clone(&done),
    };
    let owner = spawn(move || work(&owner));
    let mut last = Figures::default();
    for _ in 0..snapshots {
        last = read(heap, &done, 1, &last);
    }
    let left = owner.join().expect("the owner ended").give_up();
    let (allocated, released) = (done.allocated.get(), done.released.get());
    let figures = settled(heap, allocated, released);
    assert_eq!(figures.live_blocks, 2);
    release_raw(heap, left).expect("a live block");
    release_raw(heap, block).expect("a live block");
    let figures = settled(heap, allocated, released + 2);
    assert_eq!((figures.live_blocks, figures.cached_units), (0, 0));
}

/// Catches: `taken` raised before the cache shrinks, or not `Release`, or loaded without `Acquire`, or
/// after the caches; what was allocated read before what was released.
#[test]
fn hot_slot_and_claims() {
    model("a snapshot of the hot slot and claims", 1, || {
        watched(UNIT, 2, |owner| {
            let one = owner.alloc(1);
            owner.release(one, 1);
            owner.alloc(1)
        });
    });
}

/// Catches: as above, for the stack.
#[test]
fn stack() {
    model("a snapshot of the stack", 1, || {
        watched(UNIT, 2, |owner| {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            owner.release(other, 1);
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            other
        });
    });
}

/// Catches: as above; a part of the stack that is noted as freed only after the lock was let go.
#[test]
fn overflow() {
    model("a snapshot of a stack that overflows", 1, || {
        watched(LARGE_UNIT, 2, |owner| {
            let live = [(); 6].map(|()| owner.alloc(1));
            let left = owner.alloc(1);
            live.into_iter().for_each(|unit| owner.release(unit, 1));
            left
        });
    });
}

/// Catches: as above, for units that go from the cache into own words, and come back.
#[test]
fn own_words() {
    model("a snapshot of own words", 1, || {
        watched(OWNED_UNIT, 2, |owner| {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            owner.release(other, 1);
            owner.user.cell.cache().expect("a cache").put_away();
            owner.alloc(1)
        });
    });
}

/// Catches: as above, for units that were released side by side.
#[test]
fn run() {
    model("a snapshot of a run", 2, || {
        watched(OWNED_UNIT, 2, |owner| {
            let live = [(); 6].map(|()| owner.alloc(1));
            let left = owner.alloc(1);
            live.into_iter().for_each(|unit| owner.release(unit, 1));
            owner.user.cell.cache().expect("a cache").put_away();
            left
        });
    });
}

/// Catches: as above, for bins.
#[test]
fn bins() {
    model("a snapshot of bins", 1, || {
        watched(UNIT, 2, |owner| {
            let row = owner.alloc(2);
            owner.release(row, 2);
            owner.alloc(2)
        });
    });
}

/// Catches: as above, for long rows.
#[test]
fn rows() {
    model("a snapshot of rows", 2, || {
        watched(SMALL_UNIT, 1, |owner| {
            let row = owner.alloc(36);
            owner.release(row, 36);
            // The same block, with surplus units.
            owner.alloc(32)
        });
    });
}
