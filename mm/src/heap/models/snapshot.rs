//! A snapshot reads the caches of other threads.

use core::cell::Cell;
use std::rc::Rc;

use super::{OWNED_UNIT, SMALL_UNIT, UNIT, User, new_heap, release_raw, settled};
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

/// Two snapshots by another thread while this one works. A block is live all the time. So is to the end what
/// `work` leaves: a snapshot that took it for released stays wrong.
fn watched(
    unit: usize,
    prepare: fn(&Owner) -> Option<Owned>,
    work: fn(&Owner, Option<Owned>) -> Owned,
) {
    let (heap, done) = (new_heap(unit), Rc::new(Done::default()));
    let block = heap.central().alloc(heap, 1).expect("memory").first;
    done.allocated.set(1);
    let owner = Owner {
        user: User::of(heap),
        done: Rc::clone(&done),
    };
    let prepared = prepare(&owner);
    let known = Rc::clone(&done);
    let reading = spawn(move || {
        let first = read(heap, &known, 1, &Figures::default());
        read(heap, &known, 1, &first);
    });
    let left = work(&owner, prepared).give_up();
    reading.join().expect("the thread ended");
    let (allocated, released) = (done.allocated.get(), done.released.get());
    let figures = settled(heap, allocated, released);
    assert_eq!(figures.live_blocks, 2);
    release_raw(heap, left).expect("a live block");
    release_raw(heap, block).expect("a live block");
    let figures = settled(heap, allocated, released + 2);
    assert_eq!(figures.live_blocks, 0);
}

/// Catches: `taken` raised before the slot is empty, or loaded after it; a slot that is filled without
/// `Release`; what was allocated read before what was released.
#[test]
fn hot_slot() {
    model("a snapshot of the hot slot", 2, || {
        let prepare = |owner: &Owner| Some(owner.alloc(1));
        watched(UNIT, prepare, |owner, left| {
            for _ in 0..2 {
                let unit = owner.alloc(1);
                owner.release(unit, 1);
            }
            left.expect("a unit")
        });
    });
}

/// Catches: as above, for the stack.
#[test]
fn stack() {
    fn prepare(owner: &Owner) -> Option<Owned> {
        let (one, other) = (owner.alloc(1), owner.alloc(1));
        owner.release(one, 1);
        owner.release(other, 1);
        let (one, other) = (owner.alloc(1), owner.alloc(1));
        owner.release(one, 1);
        Some(other)
    }
    model("a snapshot of the stack", 2, || {
        watched(UNIT, prepare, |owner, unit| {
            owner.release(unit.expect("a unit"), 1);
            let units = [(); 3].map(|()| owner.alloc(1));
            let [one, other, last] = units;
            owner.release(one, 1);
            owner.release(last, 1);
            other
        });
    });
}

/// Catches: as above, for units that go from the cache into own words, and come back.
#[test]
fn own_words() {
    model("a snapshot of own words", 1, || {
        let prepare = |owner: &Owner| {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            owner.release(other, 1);
            None
        };
        watched(OWNED_UNIT, prepare, |owner, _| {
            owner.user.cell.cache().expect("a cache").put_away();
            owner.alloc(1)
        });
    });
}

/// Catches: as above, for units that were released side by side.
#[test]
fn run() {
    model("a snapshot of a run", 1, || {
        let prepare = |owner: &Owner| {
            let live = [(); 6].map(|()| owner.alloc(1));
            let left = owner.alloc(1);
            live.into_iter().for_each(|unit| owner.release(unit, 1));
            Some(left)
        };
        watched(OWNED_UNIT, prepare, |owner, left| {
            owner.release(left.expect("a unit"), 1);
            owner.user.cell.cache().expect("a cache").put_away();
            owner.alloc(1)
        });
    });
}

/// Catches: as above, for bins.
#[test]
fn bins() {
    model("a snapshot of bins", 2, || {
        let prepare = |owner: &Owner| Some(owner.alloc(2));
        watched(UNIT, prepare, |owner, row| {
            owner.release(row.expect("a row"), 2);
            owner.alloc(2)
        });
    });
}

/// Catches: as above, for long rows.
#[test]
fn rows() {
    model("a snapshot of rows", 2, || {
        let prepare = |owner: &Owner| Some(owner.alloc(36));
        watched(SMALL_UNIT, prepare, |owner, row| {
            owner.release(row.expect("a row"), 36);
            // The same block, with surplus units.
            owner.alloc(32)
        });
    });
}
