//! A cache's record: its life, and what others read of it.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed};

use super::CacheCell;
use super::bins::Bins;
use super::claim::Claim;
use super::rows::{Row, Rows};
use crate::heap::geometry::LONG_ROW;
use crate::heap::link::Link;
use crate::heap::list::{Neighbours, Node};
use crate::heap::{Block, Heap, meta};
use crate::os::Refused;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

/// Words that one cache has claimed at most.
pub(super) const MOST_CLAIMS: usize = 8;

/// The record is its thread's, and calls may use it.
pub(super) const OPEN: u32 = 0;
/// Somebody asked the thread to flush before it goes on.
const FLUSH: u32 = 1;
/// No calls use the record.
pub(super) const CLOSED: u32 = 2;
/// The record is its thread's, and empty: calls go past it, for the family is supervised.
const SHUT: u32 = 3;

/// One thread's cache of one family, or a former one's.
///
/// # Invariants
///
/// 1. `stack` is the first slot of a `&'static` array of `room` slots, or dangling with `room` 0.
/// 2. `freed <= stacked <= room`; the slots from `freed` on and below `stacked` hold units.
///    `freed` is 0, except while the record's thread frees a part of the stack.
/// 3. `hot`, if not null, the stacked pointers and the bits of the claims are units of VM pages of
///    `heap`, each taken in its page's map, a block of its own, and in no other place.
/// 4. Only the thread of the cell stores into the fields, but for `mode`, which `FLUSH` may come
///    to from any thread. Of a record without thread, the holder of the family's lock does.
#[derive(Debug)]
#[repr(C, align(64))]
pub(in crate::heap) struct CacheRecord {
    pub(super) mode: AtomicU32,
    pub(super) stacked: AtomicU32,
    pub(super) hot: AtomicPtr<u8>,
    pub(super) allocated: AtomicU64,
    pub(super) stack: AtomicPtr<AtomicPtr<u8>>,
    pub(super) room: AtomicU32,
    /// Claims that are used up, and those of the last refill.
    pub(super) claims_used: AtomicU32,
    pub(super) claims: AtomicU32,
    /// Bit for each claim whose units are all known to be zero.
    pub(super) zero_claims: AtomicU32,
    /// Words that the next refill takes.
    pub(super) eager: AtomicU32,
    pub(super) freed: AtomicU32,
    pub(super) claimed: [Claim; MOST_CLAIMS],
    bins: Link<Bins>,
    rows: Link<Rows>,
    heap: Option<&'static Heap>,
    neighbours: Neighbours<CacheRecord>,
    /// Of the thread's list.
    pub(in crate::heap) next_of_thread: Link<CacheRecord>,
    /// The thread's cell; null while no thread has the record.
    cell: AtomicPtr<CacheCell>,
    /// The thread, by the number that `thread` gives it.
    thread: AtomicUsize,
}

impl Node for CacheRecord {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.neighbours
    }
}

#[allow(clippy::inline_always, reason = "the hot path, as above")]
impl CacheRecord {
    pub(super) const fn closed() -> Self {
        Self {
            mode: AtomicU32::new(CLOSED),
            stacked: AtomicU32::new(0),
            hot: AtomicPtr::new(ptr::null_mut()),
            allocated: AtomicU64::new(0),
            claims: AtomicU32::new(0),
            claims_used: AtomicU32::new(0),
            zero_claims: AtomicU32::new(0),
            claimed: [const { Claim::none() }; MOST_CLAIMS],
            stack: AtomicPtr::new(ptr::dangling_mut()),
            room: AtomicU32::new(0),
            eager: AtomicU32::new(1),
            freed: AtomicU32::new(0),
            bins: Link::none(),
            rows: Link::none(),
            heap: None,
            neighbours: Neighbours::none(),
            next_of_thread: Link::none(),
            cell: AtomicPtr::new(ptr::null_mut()),
            thread: AtomicUsize::new(0),
        }
    }

    /// Makes a record that no thread has yet.
    pub(in crate::heap) fn make(heap: &'static Heap) -> Result<&'static Self, Refused> {
        meta::RECORDS.place(Self {
            heap: Some(heap),
            ..Self::closed()
        })
    }

    /// The family; only the closed record has none.
    pub(in crate::heap) fn heap(&self) -> &'static Heap {
        self.heap.expect("an open cache has a family")
    }

    /// Gives the record to the calling thread. The caller holds the family's lock.
    pub(in crate::heap) fn open(&self, cell: &CacheCell, thread: usize) {
        self.thread.store(thread, Relaxed);
        self.cell.store(ptr::from_ref(cell).cast_mut(), Relaxed);
        self.eager.store(1, Relaxed);
        self.mode.store(OPEN, Relaxed);
    }

    /// Takes the flushed record from its thread. The caller holds the family's lock.
    ///
    /// # Safety
    ///
    /// The calling thread is the record's, and its cell still exists.
    pub(in crate::heap) unsafe fn close(&self) {
        self.mode.store(CLOSED, Relaxed);
        let cell = self.cell.swap(ptr::null_mut(), Relaxed);
        // SAFETY: the caller promises that the cell exists, on this very thread.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.close();
        }
    }

    /// Takes the flushed record from a thread that is no more. The caller holds the family's lock.
    pub(in crate::heap) fn abandon(&self) {
        self.mode.store(CLOSED, Relaxed);
        // Where the cell was may be anything now.
        self.cell.store(ptr::null_mut(), Relaxed);
    }

    /// Which thread has the record.
    pub(in crate::heap) fn thread(&self) -> usize {
        self.thread.load(Relaxed)
    }

    /// Asks the record's thread to flush at its next call.
    pub(in crate::heap) fn ask_to_flush(&self) {
        // A closed record has nothing to flush, and one that was asked need not be asked again.
        let _ = self.mode.compare_exchange(OPEN, FLUSH, Relaxed, Relaxed);
    }

    pub(in crate::heap) fn is_asked_to_flush(&self) -> bool {
        self.mode.load(Relaxed) == FLUSH
    }

    /// Whether calls of the record's thread go past it.
    pub(in crate::heap) fn is_shut(&self) -> bool {
        self.mode.load(Relaxed) == SHUT
    }

    /// Opens the flushed record again, or shuts it. The caller holds the family's lock.
    pub(in crate::heap) fn account_flushed(&self, shut: bool) {
        self.mode.store(if shut { SHUT } else { OPEN }, Relaxed);
    }

    /// Blocks of one unit that left the cache since the start.
    pub(in crate::heap) fn allocated(&self) -> u64 {
        self.allocated.load(Acquire)
    }

    /// Takes the count of such blocks over, from a record that is closed. The caller is the
    /// record's thread and holds the lock.
    pub(in crate::heap) fn take_allocated(&self) -> u64 {
        self.allocated.swap(0, Relaxed)
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

    /// Takes a block for `units` units, more than one, if there is one at hand.
    #[inline]
    pub(in crate::heap) fn take_row(&self, units: usize) -> Option<Block> {
        if units >= LONG_ROW {
            return self.take_long_row(units);
        }
        let row = self.bins()?.take(units)?;
        self.account_allocated();
        Some(row)
    }

    /// Takes a block for `units` units, many, if there is one at hand.
    #[inline(never)]
    pub(super) fn take_long_row(&self, units: usize) -> Option<Block> {
        let row = self.rows()?.take(units)?;
        self.account_allocated();
        Some(row)
    }

    /// Keeps a block of `units` units, few, if there is room at hand.
    #[inline]
    pub(in crate::heap) fn put_short_row(&self, first: NonNull<u8>, units: usize) -> bool {
        self.bins().is_some_and(|bins| bins.put(first, units))
    }

    /// Keeps a block that was handed out for `units` units, many, if there is room at hand.
    #[inline(never)]
    pub(super) fn put_long_row(&self, first: NonNull<u8>, units: usize) -> bool {
        self.rows().is_some_and(|rows| rows.put(first, units))
    }

    /// The bins, made now if need be. The caller is the record's thread.
    pub(in crate::heap) fn make_bins(&self) -> Result<&'static Bins, Refused> {
        made(&self.bins)
    }

    /// The rows, made now if need be. The caller is the record's thread.
    pub(in crate::heap) fn make_rows(&self) -> Result<&'static Rows, Refused> {
        made(&self.rows)
    }

    /// Whether there is nothing in the cache.
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.cached() == 0 && self.held_rows().0 == 0
    }

    /// Units in the cache that are blocks of their own.
    pub(in crate::heap) fn cached(&self) -> u64 {
        let hot = u64::from(!self.hot.load(Relaxed).is_null());
        let claimed: u64 = self.claimed.iter().map(Claim::units).sum();
        let stacked = u64::from(self.stacked.load(Acquire));
        hot + stacked.saturating_sub(self.freed() as u64) + claimed
    }

    /// Whether the unit is in the cache. The caller holds the family's lock.
    pub(in crate::heap) fn holds(&self, unit: NonNull<u8>) -> bool {
        let unit_size = self.heap().geometry().unit();
        let claimed = || {
            self.claimed
                .iter()
                .any(|claim| claim.holds(unit, unit_size))
        };
        self.single_units().any(|cached| cached == unit) || claimed()
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

    /// Units on the stack, oldest first.
    fn stacked_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        let stacked = self.stacked.load(Acquire) as usize;
        let slots = &self.slots()[self.freed().min(stacked)..stacked];
        slots
            .iter()
            .filter_map(|slot| NonNull::new(slot.load(Relaxed)))
    }

    /// The unit in the hot slot.
    pub(in crate::heap) fn hot_unit(&self) -> Option<NonNull<u8>> {
        NonNull::new(self.hot.load(Relaxed))
    }

    /// All units outside claims, oldest first.
    pub(in crate::heap) fn single_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        self.stacked_units().chain(self.hot_unit())
    }

    /// All units in claims.
    pub(in crate::heap) fn claimed_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        let unit = self.heap.map_or(0, |heap| heap.geometry().unit());
        self.claimed
            .iter()
            .flat_map(move |claim| claim.units_left(unit))
    }

    /// All blocks in the cache.
    pub(in crate::heap) fn blocks(&'static self) -> impl Iterator<Item = Row> {
        let singles = self.single_units().chain(self.claimed_units());
        let singles = singles.map(|first| Row { first, units: 1 });
        singles.chain(self.kept_rows())
    }

    /// The claims that still have units.
    pub(in crate::heap) fn claims(&self) -> impl Iterator<Item = (NonNull<u8>, u64)> {
        self.claimed.iter().filter_map(|claim| {
            let mask = claim.mask.load(Relaxed);
            let first = NonNull::new(claim.first.load(Relaxed))?;
            (mask != 0).then_some((first, mask))
        })
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
