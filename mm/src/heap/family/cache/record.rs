//! What one thread holds of one family, and how that begins and ends.

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicU32 as PlainU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::bins::Bins;
use super::rows::Rows;
use super::{CacheCell, numbers};
use crate::heap::family::Heap;
use crate::heap::ground::{Block, LONG_ROW, Link, Neighbours, Node, Row, meta};
use crate::heap::pages::{Owner, PageState, Ready};
use crate::os::Refused;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

/// Pages in which a thread owns single words; of others it owns all.
pub(super) const SHARED_PAGES: usize = 4;

/// The address in the hot slot of the closed record: neither empty nor a unit, so that neither a take nor
/// a put goes on.
pub(super) const CLOSED: usize = 1;

/// Where a list of words begins that other threads released units of: null, the first unit of a word, or
/// this address, where no word may be added any more.
pub(in crate::heap) const SHUT: usize = 1;

/// A place of the stack.
pub(super) type Slot = AtomicPtr<u8>;

/// One thread's part of one family, or a former one's.
///
/// # Invariants
///
/// 1. `stack` is the first slot of a `&'static` array of `places` slots, or dangling with `places` 0.
///    `room` is `places` or 0; the slots below `stacked` hold units.
/// 2. `hot`, if it is a unit, the stacked units, those from `cur` on and below `end`, those behind
///    `run_from` up to `run`, and those of the bits of `pending` are units of VM pages of `heap`, each taken
///    in its page's map, a block of its own, and in no other place.
/// 3. Only the thread of the cell stores into the fields, but for `wanted` and `remote`. Of a record
///    without thread, the holder of the family's lock does. What lists of words and pages are made of
///    changes inside of the owner's slow paths, or under the family's lock while the owner is kept out of
///    them: see `biased`.
/// 4. Words whose owner is `number`, and no others, are the record's. Each that has a free unit has its bit
///    in the [`Ready`] of its page, which then is on the list that begins with `ready`.
/// 5. `cell` is null, or leads to a cell that exists at least until `close` or `abandon`, under the family's
///    lock, makes it null.
#[derive(Debug)]
#[repr(C, align(64))]
pub(in crate::heap) struct CacheRecord {
    // What most calls use is one line of the CPU's cache.
    pub(super) hot: AtomicPtr<u8>,
    /// Units that left the hot slot and the stack for good.
    pub(super) taken: AtomicU64,
    /// Free units side by side, the next to be handed out.
    pub(super) cur: AtomicPtr<u8>,
    pub(super) end: AtomicPtr<u8>,
    /// The last of released units that lie side by side, and where they have to end.
    pub(super) run: AtomicPtr<u8>,
    pub(super) run_end: AtomicPtr<u8>,
    pub(super) stack: AtomicPtr<Slot>,
    pub(super) stacked: AtomicU32,
    pub(super) room: AtomicU32,
    // The next line: what changes with a word.
    pub(super) run_from: AtomicPtr<u8>,
    /// Behind the unit that was released last.
    pub(super) last: AtomicUsize,
    /// Odd while fields change that are one for a reader.
    pub(super) version: AtomicU64,
    /// Odd while units go from one place to another.
    pub(super) moves: AtomicU64,
    /// Units that came to `cur`.
    pub(super) refilled: AtomicU64,
    /// Units that were released past the hot slot and the stack; wraps.
    pub(super) direct: AtomicU64,
    /// The count of such units at which it is time to look what can be given back.
    pub(super) trigger: AtomicU64,
    pub(super) busy: AtomicU32,
    pub(super) wanted: AtomicU32,
    /// Not 0 while a unit may make the stack grow, or there is no open record.
    pub(super) grows: AtomicU32,
    /// Whether the units from `cur` on are known to be zero.
    pub(super) is_zero: AtomicU32,
    // And the rest.
    /// The newest page with a ready word.
    pub(super) ready: Link<Ready>,
    /// The newest page of which all words are owned.
    pub(super) pages: Link<PageState>,
    /// The first unit of the word that `pending` is of, which another thread owns.
    pub(super) pending_first: AtomicPtr<u8>,
    pub(super) pending: AtomicU64,
    pub(super) places: AtomicU32,
    number: Owner,
    pub(super) owned_words: AtomicU32,
    pub(super) ready_pages: AtomicU32,
    pub(super) stage: AtomicU32,
    /// Sweeps since the last refill.
    pub(super) sweeps: AtomicU32,
    /// Empty pages that were given back, and those that were needed again: so many more are kept.
    pub(super) given: AtomicU32,
    pub(super) kept: AtomicU32,
    /// When pages that were given back were needed last, in milliseconds.
    pub(super) needed_at: AtomicU64,
    /// Units of own pages that were not free at the last sweep.
    pub(super) used: AtomicU64,
    /// Whether they were fewer than at the sweep before.
    pub(super) used_fell: AtomicU32,
    /// Units that were free at the last sweep, and the fewest since then; both wrap.
    pub(super) swept_at: AtomicU64,
    pub(super) looked_at: AtomicU64,
    /// Units that the thread had when the peak was looked at.
    pub(super) peak_mark: AtomicU64,
    pub(super) shared: Link<[Ready; SHARED_PAGES]>,
    /// Rows that left the cache.
    rows_taken: AtomicU64,
    bins: Link<Bins>,
    rows: Link<Rows>,
    pub(super) heap: Option<&'static Heap>,
    neighbours: Neighbours<CacheRecord>,
    /// Of the thread's list.
    pub(in crate::heap) next_of_thread: Link<CacheRecord>,
    /// The thread's cell; null while no thread has the record.
    cell: AtomicPtr<CacheCell>,
    /// The thread, by the number that `thread` gives it.
    thread: AtomicUsize,
    pub(super) remote: Inbox,
}

/// The list of words that other threads released units of, alone on its line.
#[derive(Debug)]
#[repr(align(64))]
pub(in crate::heap) struct Inbox {
    pub(super) first: AtomicPtr<u8>,
    /// Words that were added since the owner looked last, about: it is no count to rely on.
    pub(super) words: PlainU32,
}

impl Inbox {
    pub(in crate::heap) const fn new(first: usize) -> Self {
        Self {
            first: AtomicPtr::new(ptr::without_provenance_mut(first)),
            words: PlainU32::new(0),
        }
    }

    /// Whether there is a word.
    pub(super) fn has_any(&self) -> bool {
        self.first.load(Relaxed).addr() > SHUT
    }

    /// Counts a word that was added.
    pub(super) fn account_word(&self) {
        self.words.fetch_add(1, Relaxed);
    }
}

impl Node for CacheRecord {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.neighbours
    }
}

impl CacheRecord {
    pub(super) const fn closed() -> Self {
        Self {
            hot: AtomicPtr::new(ptr::without_provenance_mut(CLOSED)),
            taken: AtomicU64::new(0),
            cur: AtomicPtr::new(ptr::null_mut()),
            end: AtomicPtr::new(ptr::null_mut()),
            run: AtomicPtr::new(ptr::null_mut()),
            run_end: AtomicPtr::new(ptr::null_mut()),
            stack: AtomicPtr::new(ptr::dangling_mut()),
            stacked: AtomicU32::new(0),
            room: AtomicU32::new(0),
            run_from: AtomicPtr::new(ptr::null_mut()),
            last: AtomicUsize::new(0),
            version: AtomicU64::new(0),
            moves: AtomicU64::new(0),
            refilled: AtomicU64::new(0),
            direct: AtomicU64::new(0),
            trigger: AtomicU64::new(0),
            busy: AtomicU32::new(0),
            wanted: AtomicU32::new(0),
            grows: AtomicU32::new(1),
            is_zero: AtomicU32::new(0),
            ready: Link::none(),
            pages: Link::none(),
            pending_first: AtomicPtr::new(ptr::null_mut()),
            pending: AtomicU64::new(0),
            places: AtomicU32::new(0),
            number: 0,
            owned_words: AtomicU32::new(0),
            ready_pages: AtomicU32::new(0),
            stage: AtomicU32::new(0),
            sweeps: AtomicU32::new(0),
            given: AtomicU32::new(0),
            kept: AtomicU32::new(0),
            needed_at: AtomicU64::new(0),
            used: AtomicU64::new(0),
            used_fell: AtomicU32::new(0),
            swept_at: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            peak_mark: AtomicU64::new(0),
            shared: Link::none(),
            rows_taken: AtomicU64::new(0),
            bins: Link::none(),
            rows: Link::none(),
            heap: None,
            neighbours: Neighbours::none(),
            next_of_thread: Link::none(),
            cell: AtomicPtr::new(ptr::null_mut()),
            thread: AtomicUsize::new(0),
            remote: Inbox::new(SHUT),
        }
    }

    /// Makes a record that no thread has yet.
    pub(in crate::heap) fn make(heap: &'static Heap) -> Result<&'static Self, Refused> {
        numbers::add(|number| Self {
            number,
            hot: AtomicPtr::new(ptr::null_mut()),
            heap: Some(heap),
            ..Self::closed()
        })
    }

    /// The family; only the closed record has none.
    #[inline]
    pub(in crate::heap) fn heap(&self) -> &'static Heap {
        self.heap.expect("an open cache has a family")
    }

    /// The record with a number; none for nobody's.
    pub(in crate::heap) fn numbered(number: Owner) -> Option<&'static Self> {
        numbers::record(number)
    }

    /// What words of the record have as their owner.
    #[inline]
    pub(in crate::heap) fn number(&self) -> Owner {
        self.number
    }

    /// Gives the record to the calling thread. The caller holds the family's lock.
    pub(in crate::heap) fn open(&self, cell: &CacheCell, thread: usize) {
        self.thread.store(thread, Relaxed);
        self.cell.store(ptr::from_ref(cell).cast_mut(), Relaxed);
        self.stage.store(0, Relaxed);
        self.looked_at.store(0, Relaxed);
        self.swept_at.store(0, Relaxed);
        self.used.store(0, Relaxed);
        self.peak_mark.store(0, Relaxed);
        self.given.store(0, Relaxed);
        self.kept.store(0, Relaxed);
        // The thread before may have done without its stack in the end.
        self.room.store(self.places.load(Relaxed), Relaxed);
        self.grows.store(1, Relaxed);
        self.begin_to_count();
        self.end_wanted();
        // `Release`: who puts a word there finds the record as it is.
        self.remote.words.store(0, Relaxed);
        self.remote.first.store(ptr::null_mut(), Release);
    }

    /// Takes the empty record from its thread. The caller holds the family's lock.
    ///
    /// # Safety
    ///
    /// 1. The calling thread is the record's.
    /// 2. Its cell still exists.
    pub(in crate::heap) unsafe fn close(&self) {
        let cell = self.cell.swap(ptr::null_mut(), Relaxed);
        // SAFETY: by requirement 2 the cell still exists, and by requirement 1 on this very thread.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.close();
        }
    }

    /// Takes the empty record from a thread that is no more. The caller holds the family's lock.
    pub(in crate::heap) fn abandon(&self) {
        // Where the cell was may be anything now.
        self.cell.store(ptr::null_mut(), Relaxed);
    }

    /// Which thread has the record.
    pub(in crate::heap) fn thread(&self) -> usize {
        self.thread.load(Relaxed)
    }

    /// Has the record's thread take a slow path at its next call, in which it finds out why. The caller
    /// holds the family's lock.
    pub(in crate::heap) fn ask_to_flush(&self) {
        let cell = self.cell.load(Relaxed);
        // SAFETY: by invariant 5 the cell exists as long as this thread, which holds the family's lock,
        // finds it here. Its fields are atomic, so that its thread may use it meanwhile.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.redirect();
        }
    }

    /// Blocks of many units that left the cache since the start.
    pub(in crate::heap) fn rows_taken(&self) -> u64 {
        self.rows_taken.load(Acquire)
    }

    /// Takes the count of such blocks over, from a record that is closed.
    pub(in crate::heap) fn take_rows_taken(&self) -> u64 {
        self.rows_taken.swap(0, Relaxed)
    }

    /// Counts a block of many units that leaves the cache.
    #[inline]
    pub(in crate::heap) fn account_row_taken(&self) {
        // Left out only to measure what it costs; every figure is wrong then.
        if cfg!(mm_unaccounted) {
            return;
        }
        // `Release`: after the cache shrank, see the module's head.
        self.rows_taken
            .store(self.rows_taken.load(Relaxed) + 1, Release);
    }

    /// The cache of blocks of few units, if there ever was use for one.
    #[inline]
    pub(in crate::heap) fn bins(&self) -> Option<&'static Bins> {
        self.bins.get()
    }

    /// The cache of blocks of many units, likewise.
    pub(in crate::heap) fn rows(&self) -> Option<&'static Rows> {
        self.rows.get()
    }

    /// Takes a block for `units` units, more than one, if there is one at hand, and nobody keeps the thread
    /// out.
    #[inline]
    pub(in crate::heap) fn take_row(&self, units: usize) -> Option<Block> {
        if units >= LONG_ROW {
            return self.take_long_row(units);
        }
        let bins = self.bins()?;
        let row = self.try_section(|| bins.take(units))??;
        self.account_row_taken();
        Some(row)
    }

    /// Takes a block for `units` units, many, likewise.
    #[inline(never)]
    fn take_long_row(&self, units: usize) -> Option<Block> {
        let rows = self.rows()?;
        let row = self.try_section(|| rows.take(units))??;
        self.account_row_taken();
        Some(row)
    }

    /// Keeps a block of `units` units, few, if there is room at hand, and nobody keeps the thread out.
    #[inline]
    pub(in crate::heap) fn put_short_row(&self, first: NonNull<u8>, units: usize) -> bool {
        let put = |bins: &Bins| self.try_section(|| bins.put(first, units));
        self.bins().and_then(put).unwrap_or(false)
    }

    /// Keeps a block that was handed out for `units` units, many, likewise.
    #[inline(never)]
    pub(super) fn put_long_row(&self, first: NonNull<u8>, units: usize) -> bool {
        let put = |rows: &Rows| self.try_section(|| rows.put(first, units));
        self.rows().and_then(put).unwrap_or(false)
    }

    /// As [`take_row`](Self::take_row). The caller is the record's thread, and has the family's lock.
    pub(in crate::heap) fn take_row_locked(&self, units: usize) -> Option<Block> {
        let row = if units >= LONG_ROW {
            self.rows()?.take(units)?
        } else {
            self.bins()?.take(units)?
        };
        self.account_row_taken();
        Some(row)
    }

    /// Keeps a block that was handed out for `units` units, if there is room. The caller is the record's
    /// thread, and has the family's lock.
    pub(in crate::heap) fn put_row_locked(&self, first: NonNull<u8>, units: usize) -> bool {
        if units >= LONG_ROW {
            self.rows().is_some_and(|rows| rows.put(first, units))
        } else {
            self.bins().is_some_and(|bins| bins.put(first, units))
        }
    }

    /// The bins, made now if need be. The caller is the record's thread.
    pub(in crate::heap) fn make_bins(&self) -> Result<&'static Bins, Refused> {
        made(&self.bins)
    }

    /// The rows, made now if need be. The caller is the record's thread.
    pub(in crate::heap) fn make_rows(&self) -> Result<&'static Rows, Refused> {
        made(&self.rows)
    }

    /// Whether the block is in the cache. The caller holds the family's lock.
    pub(in crate::heap) fn holds_row(&self, first: NonNull<u8>) -> bool {
        self.kept_rows().any(|row| row.first == first)
    }

    /// How many blocks of many units are in the cache, and their units.
    pub(in crate::heap) fn held_rows(&self) -> (u64, u64) {
        let few = self.bins().map_or((0, 0), Bins::held);
        let many = self.rows().map_or((0, 0), Rows::held);
        (few.0 + many.0, few.1 + many.1)
    }

    /// All blocks of many units.
    pub(in crate::heap) fn kept_rows(&self) -> impl Iterator<Item = Row> {
        let long = self.rows().into_iter().flat_map(Rows::iter);
        self.bins().into_iter().flat_map(Bins::iter).chain(long)
    }
}

/// What the link leads to, made of zero bytes now if it leads nowhere.
fn made<T: bytemuck::Zeroable + Sync>(link: &Link<T>) -> Result<&'static T, Refused> {
    if let Some(known) = link.get() {
        return Ok(known);
    }
    let new = meta::RECORDS.zeroed(1)?.first();
    link.set(new);
    new.ok_or(Refused)
}
