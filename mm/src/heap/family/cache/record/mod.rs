//! The fields of a cache record. `lifetime` gives a record to a thread and takes it back.

mod lifetime;

use core::ptr;
use core::sync::atomic::AtomicU32 as PlainU32;
use core::sync::atomic::Ordering::Relaxed;

use super::CacheCell;
use super::rows::{Bins, Rows};
use crate::heap::family::Heap;
use crate::heap::ground::{Link, Neighbours, Node};
use crate::heap::pages::{Owner, PageState, Ready};
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

/// The most pages in which a thread may own single words. In its other pages it owns all words that contain no
/// rows and have no other owner.
pub(in crate::heap::family::cache) const SHARED_PAGES: usize = 4;

/// The address in the hot slot of the closed record. It is neither null nor a unit, so neither a take nor a put
/// uses the slot.
pub(in crate::heap::family::cache) const CLOSED: usize = 1;

/// The value of `Inbox::first` in a shut inbox, to which no thread may add a word. In an open inbox it is null
/// or the first unit of a word.
pub(in crate::heap) const SHUT: usize = 1;

/// A slot of the stack.
pub(in crate::heap::family::cache) type Slot = AtomicPtr<u8>;

/// What one thread, or a former thread, has of one family.
///
/// # Invariants
///
/// 1. `stack` points to the first slot of a `&'static` array of `stack_capacity` slots. It dangles if that is 0.
///    `room` is `stack_capacity`, or 0 while the stack is out of use. The first `stacked` slots hold units.
/// 2. A unit of the cache is in exactly one of these places: `hot`, the stack, the addresses from `cur` up to but
///    not including `end`, the addresses after `run_from` up to `run`, and the bits of `pending`. It is a unit of
///    a VM page of `heap`, taken in the page's map, and a block of its own.
/// 3. Only the thread of the cell stores into the fields, except `wanted` and `remote`. If the record has no
///    thread, the holder of the family's lock does. The lists of words and pages change in the owner's
///    sections, or under the family's lock while the owner is kept out of them: see `biased`.
/// 4. The record owns exactly the words whose owner is `number`. If such a word has a free unit, its bit is set
///    in the [`Ready`] of its page, and that `Ready` is on the list that begins with `ready`.
/// 5. `cell` is null or points to a cell. That cell exists at least until `close` or `abandon` makes the
///    pointer null, under the family's lock.
#[derive(Debug)]
#[repr(C, align(64))]
pub(in crate::heap) struct CacheRecord {
    // The first line of the CPU's cache: the fields that most calls use.
    /// The hot slot: a released unit, null, or `CLOSED`.
    pub(in crate::heap::family::cache) hot: AtomicPtr<u8>,
    /// Counts units that were handed out from the hot slot and the stack.
    pub(in crate::heap::family::cache) taken: AtomicU64,
    /// The next of the free units side by side.
    pub(in crate::heap::family::cache) cur: AtomicPtr<u8>,
    /// The address after the last of them.
    pub(in crate::heap::family::cache) end: AtomicPtr<u8>,
    /// The end of the run, which is released units side by side: its last unit, to which the next may be added.
    pub(in crate::heap::family::cache) run: AtomicPtr<u8>,
    /// The unit at which the run must end: the last of its page, or of a run of the greatest length.
    pub(in crate::heap::family::cache) run_end: AtomicPtr<u8>,
    /// The stack of released units.
    pub(in crate::heap::family::cache) stack: AtomicPtr<Slot>,
    /// Units on the stack.
    pub(in crate::heap::family::cache) stacked: AtomicU32,
    /// Units that the stack may hold now.
    pub(in crate::heap::family::cache) room: AtomicU32,
    // The second line: fields that change once for many units.
    /// The unit before the first of the run.
    pub(in crate::heap::family::cache) run_from: AtomicPtr<u8>,
    /// The end of the run when a unit that did not follow it was last released.
    pub(in crate::heap::family::cache) run_seen: AtomicPtr<u8>,
    /// The address after the unit that was released last.
    pub(in crate::heap::family::cache) last: AtomicUsize,
    /// A sequence lock for readers of figures: odd while the counts change together; see `count`.
    pub(in crate::heap::family::cache) version: AtomicU64,
    /// A sequence lock for readers that look for one unit: odd while units move between the cache, the maps and
    /// the inboxes; see `count`.
    pub(in crate::heap::family::cache) moves: AtomicU64,
    /// Counts units that refills put between `cur` and `end`.
    pub(in crate::heap::family::cache) refilled: AtomicU64,
    /// Counts units that left the cache for the maps or for other threads. Units that a refill takes from the maps
    /// to the stack are subtracted. It wraps.
    pub(in crate::heap::family::cache) direct: AtomicU64,
    /// The value of `direct` at which the thread next checks whether a sweep is worth it.
    pub(in crate::heap::family::cache) trigger: AtomicU64,
    /// 1 while the owner is in a section; see `biased`.
    pub(in crate::heap::family::cache) busy: AtomicU32,
    /// Not 0 if the owner must not enter a section without checking; see `biased`.
    pub(in crate::heap::family::cache) wanted: AtomicU32,
    /// 1 if a release that finds the stack full may make it grow. It is 1 in the closed record, too, so that
    /// every release there takes the slow path.
    pub(in crate::heap::family::cache) grows: AtomicU32,
    /// Whether the units from `cur` on are known to be zero.
    pub(in crate::heap::family::cache) is_zero: AtomicU32,
    /// Bytes by which the blocks that the thread took are longer than was requested; wraps.
    pub(in crate::heap::family::cache) padding_taken: AtomicU64,
    /// The same for the blocks that it released.
    pub(in crate::heap::family::cache) padding_released: AtomicU64,
    // The other fields.
    /// The newest page with a ready word.
    pub(in crate::heap::family::cache) ready: Link<Ready>,
    /// The newest page that the record owns.
    pub(in crate::heap::family::cache) pages: Link<PageState>,
    /// The first unit of the word whose units are in `pending`. Another thread owns that word.
    pub(in crate::heap::family::cache) pending_first: AtomicPtr<u8>,
    /// Released units of that word that are not sent yet, as a mask.
    pub(in crate::heap::family::cache) pending: AtomicU64,
    /// Slots of the stack.
    pub(in crate::heap::family::cache) stack_capacity: AtomicU32,
    /// The number that stands in the record's words as their owner.
    number: Owner,
    pub(in crate::heap::family::cache) owned_words: AtomicU32,
    /// Pages on the list that begins with `ready`.
    pub(in crate::heap::family::cache) ready_pages: AtomicU32,
    /// How often the family lent the cache units: it lends more each time. See `central/lease`.
    pub(in crate::heap::family::cache) stage: AtomicU32,
    /// Sweeps since the last refill.
    pub(in crate::heap::family::cache) sweeps: AtomicU32,
    /// Empty pages that the thread gave back and has not replaced since.
    pub(in crate::heap::family::cache) pages_given: AtomicU32,
    /// Empty pages that the thread keeps because it gave back as many and needed them again.
    pub(in crate::heap::family::cache) extra_pages_kept: AtomicU32,
    /// When a page that was given back was last needed, in milliseconds.
    pub(in crate::heap::family::cache) needed_at: AtomicU64,
    /// Units of own pages that were not free at the last sweep.
    pub(in crate::heap::family::cache) used: AtomicU64,
    /// Whether `used` fell at the last sweep.
    pub(in crate::heap::family::cache) used_fell: AtomicU32,
    /// The value of `came_free` at the last sweep. It wraps.
    pub(in crate::heap::family::cache) freed_at_sweep: AtomicU64,
    /// The lowest value of `came_free` since then. It wraps.
    pub(in crate::heap::family::cache) lowest_freed: AtomicU64,
    /// Units that the thread had when `has_risen` last returned true, or the lowest number since.
    pub(in crate::heap::family::cache) peak_mark: AtomicU64,
    pub(in crate::heap::family::cache) shared: Link<[Ready; SHARED_PAGES]>,
    /// Counts rows that were handed out by the cache.
    pub(in crate::heap::family::cache) rows_taken: AtomicU64,
    pub(in crate::heap::family::cache) bins: Link<Bins>,
    pub(in crate::heap::family::cache) rows: Link<Rows>,
    pub(in crate::heap::family::cache) heap: Option<&'static Heap>,
    neighbours: Neighbours<CacheRecord>,
    /// The next record on the thread's list.
    pub(in crate::heap) next_of_thread: Link<CacheRecord>,
    /// The thread's cell; null while no thread has the record.
    cell: AtomicPtr<CacheCell>,
    /// The thread, by the number that the module `thread` gives it.
    thread: AtomicUsize,
    pub(in crate::heap::family::cache) remote: Inbox,
}

/// A list of words with units that other threads released. It has a line of the CPU's cache of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(in crate::heap) struct Inbox {
    pub(in crate::heap::family::cache) first: AtomicPtr<u8>,
    /// About how many words were added since the owner last emptied the inbox.
    pub(in crate::heap::family::cache) words: PlainU32,
}

impl Inbox {
    pub(in crate::heap) const fn new(first: usize) -> Self {
        Self {
            first: AtomicPtr::new(ptr::without_provenance_mut(first)),
            words: PlainU32::new(0),
        }
    }

    /// Whether there is a word.
    pub(in crate::heap::family::cache) fn has_any(&self) -> bool {
        self.first.load(Relaxed).addr() > SHUT
    }

    /// Counts a word that was added.
    pub(in crate::heap::family::cache) fn account_word(&self) {
        self.words.fetch_add(1, Relaxed);
    }
}

impl Node for CacheRecord {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.neighbours
    }
}
