//! What models share: heaps, users of heaps, and how a model runs.

use core::alloc::Layout;
use core::ops::Range;
use core::panic::Location;
use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, forget_retained_tables};
use crate::heap::ground::{RECORDS, Refusal, SPARSE};
use crate::heap::pages::{NO_OWNER, Record, SPACE};
use crate::heap::tracking::POOL;
use crate::heap::walk::Figures;
use crate::sync::models::{self, Engine, Owned};

/// Bytes of a unit. Eight fill a VM page, and threads own none of its words.
pub(super) const UNIT: usize = 8 << 10;

/// Bytes of a unit so large that a refill gets only one.
pub(super) const LARGE_UNIT: usize = 128 << 10;

/// Bytes of a unit. 16 fill a VM page and are one word; a thread owns the whole page.
pub(super) const OWNED_UNIT: usize = 4 << 10;

/// Bytes of a unit. 128 fill a VM page and are two words.
pub(super) const UNIT_OF_TWO_WORDS: usize = 512;

/// Bytes of a unit. A page holds 42, enough for rows that may have slack.
pub(super) const SMALL_UNIT: usize = 1536;

/// Runs a model: see [`models::model`].
pub(crate) fn model(name: &str, interruptions: impl Into<Option<usize>>, program: fn()) {
    let engine = Engine {
        forget: forget_executions,
        unmodelled,
    };
    models::model(engine, name, interruptions, program);
}

/// Statics whose locks are hidden from the models, since they are held for a few lines.
fn unmodelled() -> [Range<usize>; 5] {
    [
        range_of(&RECORDS),
        range_of(&SPARSE),
        range_of(&SPACE),
        range_of(&POOL),
        crate::heap::family::cache::numbers_range(),
    ]
}

fn range_of<T>(it: &'static T) -> Range<usize> {
    let start = core::ptr::from_ref(it).addr();
    start..start + size_of::<T>()
}

/// Resets what one execution leaves and the next would find.
fn forget_executions() {
    forget_retained_tables();
    crate::heap::family::cache::begin_again();
}

/// A heap for this execution alone. It is never freed, like those of families.
pub(super) fn new_heap(unit: usize) -> &'static Heap {
    let layout = Layout::from_size_align(unit, 8).expect("a layout");
    Box::leak(Box::new(Heap::new(layout)))
}

/// A thread's way to a heap. It does what `MmBox` does, in the same order.
#[derive(Clone, Copy)]
pub(super) struct User<'a> {
    pub(super) heap: &'static Heap,
    pub(super) cell: &'a CacheCell,
}

impl User<'static> {
    /// With a cell that is never freed, since a thread's cells exist until all its destructors ran.
    pub(super) fn of(heap: &'static Heap) -> Self {
        Self {
            heap,
            cell: Box::leak(Box::new(CacheCell::new())),
        }
    }
}

impl User<'_> {
    pub(super) fn alloc(self, units: usize) -> Owned {
        let try_cached = match units {
            1 => self.cell.take(self.heap.geometry().unit(), true),
            _ => self.cell.take_row(units),
        };
        let block = try_cached.map_or_else(
            || self.heap.alloc(self.cell, units, &Location::caller()),
            Ok,
        );
        Owned::new(block.expect("memory").first)
    }

    pub(super) fn release(self, block: Owned, units: usize) {
        self.release_again(block.give_up(), units);
    }

    /// Releases a block that may already be released.
    pub(super) fn release_again(self, first: NonNull<u8>, units: usize) {
        let is_put = match units {
            // SAFETY: `first` is what `alloc` gave to the model, of the cell's heap. A model that releases it
            // twice is about what then happens, and nothing uses the block.
            1 => unsafe { self.cell.put(first, self.heap.geometry().unit()) },
            // SAFETY: `first` is what `alloc` gave to the model, `units` units of the cell's heap.
            _ => unsafe { self.cell.put_row(first, units) },
        };
        if !is_put {
            // SAFETY: `first` is what `alloc` gave to the model, and as `is_put` says, the cell did not take it.
            unsafe { self.heap.release(self.cell, first, units) };
        }
    }
}

/// Releases by address, on any thread.
pub(super) fn release_raw(heap: &'static Heap, first: NonNull<u8>) -> Result<(), Refusal> {
    // SAFETY: `first` is a block that the model allocated and does not use any more, or no live block.
    let answer = unsafe { Heap::release_raw(first, Some(heap)) };
    answer.map_err(|(refusal, _)| refusal)
}

/// Compares the figures with the walker's and with the calls so far, while no thread is in a call.
pub(super) fn settled(heap: &'static Heap, allocated: u64, released: u64) -> Figures {
    heap.check().expect("all figures are exact");
    nothing_is_lost(heap);
    let figures = heap.figures();
    assert_eq!(
        (figures.blocks_allocated, figures.blocks_released),
        (allocated, released)
    );
    figures
}

/// In words without an owner, no unit is on its way any more, now that the family's inbox was emptied.
fn nothing_is_lost(heap: &'static Heap) {
    for record in heap.central().records() {
        let Record::Extent(extent) = record else {
            continue;
        };
        for page in extent.pages() {
            let words = page.words().iter().enumerate();
            let mut unowned = words.filter(|(_, word)| word.is_owned_by(NO_OWNER));
            assert!(unowned.all(|(number, _)| page.sent_units(number) == 0));
        }
    }
}
