//! A snapshot reads the caches of other threads.

use core::cell::Cell;
use std::rc::Rc;

use crate::heap::family::Heap;
use crate::heap::models::setting::{
    OWNED_UNIT, SMALL_UNIT, UNIT, User, model, new_heap, release_raw, settled,
};
use crate::heap::walk::Figures;
use crate::sync::models::{Owned, spawn};

/// Blocks that were allocated and released. Each is counted when its call begins, since from then on a snapshot
/// may include it.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) allocated: Cell<u64>,
    pub(super) released: Cell<u64>,
}

/// A thread that counts its calls.
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

/// Reads the figures and compares them with the calls so far, with the blocks that are always live, and with
/// earlier figures.
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

/// Another thread takes a snapshot while this one works, and one afterwards. One block is always live, and so
/// are `least_live` of the others.
fn watched(
    unit: usize,
    least_live: u64,
    prepare: fn(&Owner) -> Owned,
    work: fn(&Owner, Owned) -> Vec<Owned>,
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
    let reading = spawn(move || read(heap, &known, 1 + least_live, &Figures::default()));
    let left = work(&owner, prepared);
    let first = reading.join().expect("the thread ended");
    let live = 1 + left.len() as u64;
    read(heap, &done, live, &first);
    let (allocated, released) = (done.allocated.get(), done.released.get());
    assert_eq!(settled(heap, allocated, released).live_blocks, live);
    for block in left.into_iter().map(Owned::give_up).chain([block]) {
        release_raw(heap, block).expect("a live block");
    }
    assert_eq!(settled(heap, allocated, released + live).live_blocks, 0);
}

/// Catches: `taken` raised before the slot is empty, or loaded after it; a slot that is filled without
/// `Release`; allocations read before releases.
#[test]
fn hot_slot() {
    model("a snapshot of the hot slot", 2, || {
        let prepare = |owner: &Owner| owner.alloc(1);
        watched(UNIT, 1, prepare, |owner, live| {
            let unit = owner.alloc(1);
            owner.release(unit, 1);
            vec![live, owner.alloc(1)]
        });
    });
}

/// Leaves a unit in the hot slot, and room for one on the stack.
fn room_for_one(owner: &Owner) -> Owned {
    let (one, other) = (owner.alloc(1), owner.alloc(1));
    owner.release(one, 1);
    owner.release(other, 1);
    let (one, other) = (owner.alloc(1), owner.alloc(1));
    owner.release(one, 1);
    other
}

/// Catches: the faults of `hot_slot`, for the stack.
#[test]
fn stack() {
    model("a snapshot of the stack", 1, || {
        watched(UNIT, 1, room_for_one, |owner, live| {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            owner.release(other, 1);
            vec![live, owner.alloc(1), owner.alloc(1)]
        });
    });
}

/// Catches: fields that are read in the middle of a change of several.
#[test]
fn own_words() {
    model("a snapshot of own words", 0, || {
        let prepare = |owner: &Owner| {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            other
        };
        watched(OWNED_UNIT, 1, prepare, |owner, live| {
            owner.user.cell.cache().expect("a cache").flush_units();
            vec![live]
        });
    });
}

/// Catches: the faults of `own_words`, for units that were released side by side.
#[test]
fn run() {
    model("a snapshot of a run", 1, || {
        let prepare = |owner: &Owner| {
            let live = [(); 6].map(|()| owner.alloc(1));
            let left = owner.alloc(1);
            live.into_iter().for_each(|unit| owner.release(unit, 1));
            left
        };
        watched(OWNED_UNIT, 0, prepare, |owner, last| {
            owner.release(last, 1);
            let cache = owner.user.cell.cache().expect("a cache");
            cache.end_run();
            Vec::new()
        });
    });
}

/// Catches: the faults of `hot_slot`, for bins.
#[test]
fn bins() {
    model("a snapshot of bins", 2, || {
        let prepare = |owner: &Owner| owner.alloc(2);
        watched(UNIT, 0, prepare, |owner, row| {
            owner.release(row, 2);
            vec![owner.alloc(2)]
        });
    });
}

/// Catches: the faults of `hot_slot`, for long rows.
#[test]
fn rows() {
    model("a snapshot of rows", 1, || {
        let prepare = |owner: &Owner| owner.alloc(36);
        watched(SMALL_UNIT, 0, prepare, |owner, row| {
            owner.release(row, 36);
            // The same block, with slack units.
            vec![owner.alloc(32)]
        });
    });
}
