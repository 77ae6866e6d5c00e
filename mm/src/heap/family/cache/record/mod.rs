//! The record of one thread and one family: its fields. `lifetime` says how it comes to a thread and leaves it.

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

/// Pages in which a thread owns single words. In other pages it owns all.
pub(in crate::heap::family::cache) const SHARED_PAGES: usize = 4;

/// The address in the hot slot of the closed record. It is neither null nor a unit, so neither a take nor a put
/// uses the slot.
pub(in crate::heap::family::cache) const CLOSED: usize = 1;

/// The address with which a shut inbox begins, to which no word may be added. An open inbox begins with null or
/// with the first unit of a word.
pub(in crate::heap) const SHUT: usize = 1;

/// A slot of the stack.
pub(in crate::heap::family::cache) type Slot = AtomicPtr<u8>;

/// What one thread, or a former thread, has of one family.
///
/// # Invariants
///
/// 1. `stack` is the first slot of a `&'static` array of `stack_capacity` slots, or dangling with `stack_capacity` 0. `room` is
///    `stack_capacity` or 0; the slots below `stacked` hold units.
/// 2. `hot`, if it is a unit, the stacked units, those from `cur` on and below `end`, those behind `run_from`
///    up to `run`, and those of the bits of `pending` are units of VM pages of `heap`, each taken in its page's
///    map, a block of its own, and in no other place.
/// 3. Only the thread of the cell stores into the fields, except `wanted` and `remote`. If the record has no
///    thread, the holder of the family's lock does. The lists of words and pages change in the owner's
///    sections, or under the family's lock while the owner is kept out of them: see `biased`.
/// 4. Words whose owner is `number`, and no others, are the record's. Each that has a free unit has its bit in
///    the [`Ready`] of its page, which then is on the list that begins with `ready`.
/// 5. `cell` is null, or leads to a cell that exists at least until `close` or `abandon`, under the family's
///    lock, makes it null.
#[derive(Debug)]
#[repr(C, align(64))]
pub(in crate::heap) struct CacheRecord {
    // The fields that most calls use are in one line of the CPU's cache.
    pub(in crate::heap::family::cache) hot: AtomicPtr<u8>,
    /// Units that left the hot slot and the stack to be handed out.
    pub(in crate::heap::family::cache) taken: AtomicU64,
    /// Free units side by side: the next to be handed out, and the end.
    pub(in crate::heap::family::cache) cur: AtomicPtr<u8>,
    pub(in crate::heap::family::cache) end: AtomicPtr<u8>,
    /// The last unit of the run of released units, and the last unit that it may have.
    pub(in crate::heap::family::cache) run: AtomicPtr<u8>,
    pub(in crate::heap::family::cache) run_end: AtomicPtr<u8>,
    pub(in crate::heap::family::cache) stack: AtomicPtr<Slot>,
    pub(in crate::heap::family::cache) stacked: AtomicU32,
    pub(in crate::heap::family::cache) room: AtomicU32,
    // The next line: fields that change with a word.
    pub(in crate::heap::family::cache) run_from: AtomicPtr<u8>,
    /// The address after the unit that was released last.
    pub(in crate::heap::family::cache) last: AtomicUsize,
    /// Odd while fields change that readers must see together.
    pub(in crate::heap::family::cache) version: AtomicU64,
    /// Odd while units move from one place to another.
    pub(in crate::heap::family::cache) moves: AtomicU64,
    /// Units that came to `cur`.
    pub(in crate::heap::family::cache) refilled: AtomicU64,
    /// Units that were released past the hot slot and the stack; wraps.
    pub(in crate::heap::family::cache) direct: AtomicU64,
    /// The value of `direct` at which the thread looks for pages to give back.
    pub(in crate::heap::family::cache) trigger: AtomicU64,
    pub(in crate::heap::family::cache) busy: AtomicU32,
    pub(in crate::heap::family::cache) wanted: AtomicU32,
    /// Not 0 if a release may make the stack grow, and in the closed record.
    pub(in crate::heap::family::cache) grows: AtomicU32,
    /// Whether the units from `cur` on are known to be zero.
    pub(in crate::heap::family::cache) is_zero: AtomicU32,
    // The other fields.
    /// The newest page with a ready word.
    pub(in crate::heap::family::cache) ready: Link<Ready>,
    /// The newest page that the record owns.
    pub(in crate::heap::family::cache) pages: Link<PageState>,
    /// The first unit of the word whose units are in `pending`. Another thread owns it.
    pub(in crate::heap::family::cache) pending_first: AtomicPtr<u8>,
    pub(in crate::heap::family::cache) pending: AtomicU64,
    pub(in crate::heap::family::cache) stack_capacity: AtomicU32,
    number: Owner,
    pub(in crate::heap::family::cache) owned_words: AtomicU32,
    pub(in crate::heap::family::cache) ready_pages: AtomicU32,
    pub(in crate::heap::family::cache) stage: AtomicU32,
    /// Sweeps since the last refill.
    pub(in crate::heap::family::cache) sweeps: AtomicU32,
    /// Empty pages that were given back and not needed since; pages that are kept because they were needed
    /// again.
    pub(in crate::heap::family::cache) pages_given: AtomicU32,
    pub(in crate::heap::family::cache) extra_pages_kept: AtomicU32,
    /// When a page that was given back was last needed, in milliseconds.
    pub(in crate::heap::family::cache) needed_at: AtomicU64,
    /// Units of own pages that were not free at the last sweep.
    pub(in crate::heap::family::cache) used: AtomicU64,
    /// Whether they were fewer than at the sweep before.
    pub(in crate::heap::family::cache) used_fell: AtomicU32,
    /// Units that had come free at the last sweep, and the lowest count since; both wrap.
    pub(in crate::heap::family::cache) freed_at_sweep: AtomicU64,
    pub(in crate::heap::family::cache) lowest_freed: AtomicU64,
    /// Units that the thread had when the peak was last computed.
    pub(in crate::heap::family::cache) peak_mark: AtomicU64,
    pub(in crate::heap::family::cache) shared: Link<[Ready; SHARED_PAGES]>,
    /// Rows that left the cache.
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
    /// Words that were added since the owner last collected. This is an estimate.
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
