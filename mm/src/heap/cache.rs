//! One thread's cache of one family: the hot path.
//!
//! Units leave the cache from its *hot slot* first, then from the *stack* of released units, then
//! from *claimed* map words by counting trailing zeros. Nothing of ours is ever written into a
//! unit: a list whose links lie in free units is slower when released in random order, dirties
//! zeroed memory, and is corruptible.
//!
//! A cell leads to the thread's record, or to a read-only *closed* one, on which every fast test
//! fails: at first, and again after the thread's exit. So a release that comes later goes
//! straight to the maps.
//!
//! # Figures
//!
//! A record has one writer, its thread, which stores its fields plainly; any thread may read. A
//! reader holds the family's lock, and so meets no refill and no flush. It reads every `allocated`
//! first and every cache after. The writer lets the cache shrink *before* it raises `allocated`,
//! so an allocation that the reader counts is one whose unit it no longer finds in the cache:
//! `allocated - (taken - cached)` never says that more was released than was.

use core::ptr::{self, NonNull};
use core::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::geometry::Geometry;
use super::link::Link;
use super::list::{Neighbours, Node};
use super::{Block, Heap, meta};
use crate::os::Refused;

/// Released units that one cache holds at most.
const MOST_STACKED: usize = 512;

/// Released units that a new cache has room for.
const FIRST_STACK: usize = 16;

/// Bytes of released units, and of claimed units, that one cache holds at most.
const MOST_BYTES: usize = 128 << 10;

/// Words that one cache has claimed at most.
const MOST_CLAIMS: usize = 8;

/// The record is its thread's, and calls may use it.
const OPEN: u32 = 0;
/// Somebody asked the thread to flush before it goes on.
const FLUSH: u32 = 1;
/// No calls use the record.
const CLOSED: u32 = 2;

/// Where one thread finds its cache of one family.
///
/// # Invariants
///
/// 1. The pointer was made from a `&'static CacheRecord`.
/// 2. If that record is not `CLOSED_RECORD`, it belongs to the thread of this cell, and no
///    other cell leads to it. Only that thread uses the cell.
#[derive(Debug)]
pub struct CacheCell(AtomicPtr<CacheRecord>);

/// What cells lead to that have no cache.
static CLOSED_RECORD: CacheRecord = CacheRecord::closed();

/// One thread's cache of one family, or a former one's.
///
/// # Invariants
///
/// 1. `stack` is null with `room` 0, or the first slot of a `&'static` array of `room` slots.
/// 2. `stacked <= room`; the slots below `stacked` hold units.
/// 3. `hot`, if not null, the stacked pointers and the bits of the claims are units of VM pages of
///    `heap`, each taken in its page's map, a block of its own, and in no other place.
/// 4. Only the thread of the cell stores into the fields, but for `mode`, which `FLUSH` may come
///    to from any thread. Of a record without thread, the holder of the family's lock does.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct CacheRecord {
    mode: AtomicU32,
    stacked: AtomicU32,
    hot: AtomicPtr<u8>,
    allocated: AtomicU64,
    /// Claims of the last refill, and how many of them are used up.
    claims: AtomicU32,
    claims_used: AtomicU32,
    /// Bit for each claim whose units are all known to be zero.
    zero_claims: AtomicU32,
    claimed: [Claim; MOST_CLAIMS],
    stack: AtomicPtr<AtomicPtr<u8>>,
    room: AtomicU32,
    /// Words that the next refill takes.
    eager: AtomicU32,
    heap: Option<&'static Heap>,
    neighbours: Neighbours<CacheRecord>,
    /// Of the thread's list.
    pub(super) next_of_thread: Link<CacheRecord>,
    /// The thread's cell; null while no thread has the record.
    cell: AtomicPtr<CacheCell>,
}

/// Free units of one map word, taken together.
#[derive(Debug)]
pub(super) struct Claim {
    /// The unit of bit 0.
    first: AtomicPtr<u8>,
    mask: AtomicU64,
}

const fn closed_record() -> *mut CacheRecord {
    (&raw const CLOSED_RECORD).cast_mut()
}

impl Default for CacheCell {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(
    clippy::inline_always,
    reason = "the hot path is to become part of the caller, whatever its size"
)]
impl CacheCell {
    /// Makes a cell without a cache.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(closed_record()))
    }

    #[inline(always)]
    fn record(&self) -> &'static CacheRecord {
        // SAFETY: invariant 1.
        unsafe { &*self.0.load(Relaxed) }
    }

    /// Takes a unit from the cache, if it has one at hand.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<Block> {
        let record = self.record();
        if record.mode.load(Relaxed) != OPEN {
            return None;
        }
        match NonNull::new(record.hot.load(Relaxed)) {
            Some(first) => {
                record.hot.store(ptr::null_mut(), Relaxed);
                record.account_allocated();
                Some(Block { first, zero: false })
            }
            None => record.take_behind(),
        }
    }

    /// Puts a unit into the cache, if it has room at hand.
    ///
    /// # Safety
    ///
    /// `unit` is a live block of one unit of the cell's family, and nobody uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, unit: NonNull<u8>) -> bool {
        let record = self.record();
        if record.mode.load(Relaxed) != OPEN {
            return false;
        }
        if record.hot.load(Relaxed).is_null() {
            record.hot.store(unit.as_ptr(), Relaxed);
            return true;
        }
        record.push(unit)
    }

    /// The cell's own cache, unless it has none.
    pub(super) fn cache(&self) -> Option<&'static CacheRecord> {
        let record = self.record();
        (record.mode.load(Relaxed) != CLOSED).then_some(record)
    }

    pub(super) fn lead_to(&self, record: &'static CacheRecord) {
        self.0.store(ptr::from_ref(record).cast_mut(), Relaxed);
    }

    /// Leads to no cache from now on.
    pub(super) fn close(&self) {
        self.0.store(closed_record(), Relaxed);
    }
}

impl Node for CacheRecord {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.neighbours
    }
}

#[allow(clippy::inline_always, reason = "the hot path, as above")]
impl CacheRecord {
    const fn closed() -> Self {
        Self {
            mode: AtomicU32::new(CLOSED),
            stacked: AtomicU32::new(0),
            hot: AtomicPtr::new(ptr::null_mut()),
            allocated: AtomicU64::new(0),
            claims: AtomicU32::new(0),
            claims_used: AtomicU32::new(0),
            zero_claims: AtomicU32::new(0),
            claimed: [const { Claim::none() }; MOST_CLAIMS],
            stack: AtomicPtr::new(ptr::null_mut()),
            room: AtomicU32::new(0),
            eager: AtomicU32::new(1),
            heap: None,
            neighbours: Neighbours::none(),
            next_of_thread: Link::none(),
            cell: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Makes a record that no thread has yet.
    pub(super) fn make(heap: &'static Heap) -> Result<&'static Self, Refused> {
        meta::RECORDS.place(Self {
            heap: Some(heap),
            ..Self::closed()
        })
    }

    /// The family; only the closed record has none.
    pub(super) fn heap(&self) -> &'static Heap {
        self.heap.expect("an open cache has a family")
    }

    /// Gives the record to the calling thread. The caller holds the family's lock.
    pub(super) fn open(&self, cell: &CacheCell) {
        self.cell.store(ptr::from_ref(cell).cast_mut(), Relaxed);
        self.eager.store(1, Relaxed);
        self.mode.store(OPEN, Relaxed);
    }

    /// Takes the flushed record from its thread. The caller holds the family's lock.
    ///
    /// # Safety
    ///
    /// The calling thread is the record's, and its cell still exists.
    pub(super) unsafe fn close(&self) {
        self.mode.store(CLOSED, Relaxed);
        let cell = self.cell.swap(ptr::null_mut(), Relaxed);
        // SAFETY: the caller promises that the cell exists, on this very thread.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.close();
        }
    }

    /// Asks the record's thread to flush at its next call.
    pub(super) fn ask_to_flush(&self) {
        // A closed record has nothing to flush, and one that was asked need not be asked again.
        let _ = self.mode.compare_exchange(OPEN, FLUSH, Relaxed, Relaxed);
    }

    pub(super) fn is_asked_to_flush(&self) -> bool {
        self.mode.load(Relaxed) == FLUSH
    }

    pub(super) fn account_flushed(&self) {
        self.mode.store(OPEN, Relaxed);
    }

    /// Blocks of one unit that left the cache since the start.
    pub(super) fn allocated(&self) -> u64 {
        self.allocated.load(Acquire)
    }

    /// Takes the count of such blocks over, from a record that is closed. The caller is the
    /// record's thread and holds the lock.
    pub(super) fn take_allocated(&self) -> u64 {
        self.allocated.swap(0, Relaxed)
    }

    /// Units in the cache.
    pub(super) fn cached(&self) -> u64 {
        let hot = u64::from(!self.hot.load(Relaxed).is_null());
        let claimed: u64 = self.claimed.iter().map(Claim::units).sum();
        hot + u64::from(self.stacked.load(Acquire)) + claimed
    }

    /// Whether the unit is in the cache. The caller holds the family's lock.
    pub(super) fn holds(&self, unit: NonNull<u8>) -> bool {
        let unit_size = self.heap().geometry().unit();
        let claimed = || {
            self.claimed
                .iter()
                .any(|claim| claim.holds(unit, unit_size))
        };
        self.single_units().any(|cached| cached == unit) || claimed()
    }

    /// Units on the stack, oldest first.
    pub(super) fn stacked_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        let stacked = self.stacked.load(Acquire) as usize;
        let slots = &self.slots()[..stacked];
        slots
            .iter()
            .filter_map(|slot| NonNull::new(slot.load(Relaxed)))
    }

    /// All units outside claims, oldest first.
    pub(super) fn single_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        let hot = NonNull::new(self.hot.load(Relaxed));
        self.stacked_units().chain(hot)
    }

    /// All units in claims.
    pub(super) fn claimed_units(&self) -> impl Iterator<Item = NonNull<u8>> {
        let unit = self.heap.map_or(0, |heap| heap.geometry().unit());
        self.claimed
            .iter()
            .flat_map(move |claim| claim.units_left(unit))
    }

    /// The claims that still have units.
    pub(super) fn claims(&self) -> impl Iterator<Item = (NonNull<u8>, u64)> {
        self.claimed.iter().filter_map(|claim| {
            let mask = claim.mask.load(Relaxed);
            let first = NonNull::new(claim.first.load(Relaxed))?;
            (mask != 0).then_some((first, mask))
        })
    }

    /// Forgets all units, which were freed. The caller is the record's thread and holds the lock.
    pub(super) fn account_drained(&self) {
        self.hot.store(ptr::null_mut(), Relaxed);
        self.stacked.store(0, Release);
        self.claimed.iter().for_each(Claim::clear);
        self.claims.store(0, Relaxed);
        self.claims_used.store(0, Relaxed);
        self.eager.store(1, Relaxed);
    }

    /// Forgets the `count` oldest stacked units, which were freed. The caller is the record's
    /// thread and holds the lock.
    pub(super) fn account_oldest_freed(&self, count: usize) {
        let slots = self.slots();
        let stacked = self.stacked.load(Relaxed) as usize;
        for (to, from) in slots.iter().zip(&slots[count..stacked]) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stacked.store(small(stacked - count), Release);
    }

    /// Units on the stack.
    pub(super) fn stacked(&self) -> usize {
        self.stacked.load(Relaxed) as usize
    }

    /// Units that the next refill takes. Each takes twice as many words as the one before.
    pub(super) fn units_per_refill(&self, geometry: &Geometry) -> usize {
        let words = self.eager.load(Relaxed) as usize;
        self.eager
            .store(small((words * 2).min(MOST_CLAIMS)), Relaxed);
        (words * 64).min(most_units(geometry))
    }

    /// Whether a refill can add another word.
    pub(super) fn has_room_for_claim(&self) -> bool {
        (self.claims.load(Relaxed) as usize) < MOST_CLAIMS
    }

    /// Adds a word to those that units are taken from. The caller is the record's thread, holds
    /// the lock, and refills a cache whose claims are used up.
    pub(super) fn add_claim(&self, first: NonNull<u8>, mask: u64, zero: bool) {
        let claims = self.claims.load(Relaxed);
        let claim = &self.claimed[claims as usize];
        claim.first.store(first.as_ptr(), Relaxed);
        claim.mask.store(mask, Relaxed);
        let others = self.zero_claims.load(Relaxed) & !(1 << claims);
        self.zero_claims
            .store(others | u32::from(zero) << claims, Relaxed);
        self.claims.store(claims + 1, Relaxed);
    }

    /// Makes room for more released units, unless the cache may hold no more.
    ///
    /// The smaller stacks before stay behind: together they are less than the last.
    pub(super) fn grow_stack(&self, geometry: &Geometry) -> bool {
        let room = self.room.load(Relaxed) as usize;
        let wanted = (room * 4)
            .clamp(FIRST_STACK, MOST_STACKED)
            .min(most_units(geometry));
        if wanted <= room {
            return false;
        }
        let Ok(slots) = meta::RECORDS.zeroed::<AtomicPtr<u8>>(wanted) else {
            return false;
        };
        for (to, from) in slots.iter().zip(self.slots()) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stack.store(slots.as_ptr().cast_mut(), Release);
        self.room.store(small(wanted), Release);
        true
    }

    #[inline(always)]
    fn account_allocated(&self) {
        // Only this thread stores it. `Release`: after the cache shrank, see the module's head.
        self.allocated
            .store(self.allocated.load(Relaxed) + 1, Release);
    }

    /// Takes a unit from the stack, else from a claim.
    #[inline(never)]
    fn take_behind(&self) -> Option<Block> {
        let unit = self.pop().or_else(|| self.take_claimed());
        if unit.is_some() {
            self.account_allocated();
        }
        unit
    }

    fn pop(&self) -> Option<Block> {
        let left = self.stacked.load(Relaxed).checked_sub(1)?;
        let first = NonNull::new(self.slots()[left as usize].load(Relaxed))?;
        // `Release`: a reader that sees this count must see a stack with room for it.
        self.stacked.store(left, Release);
        Some(Block { first, zero: false })
    }

    fn take_claimed(&self) -> Option<Block> {
        let used = self.claims_used.load(Relaxed);
        if used == self.claims.load(Relaxed) {
            return None;
        }
        let claim = &self.claimed[used as usize];
        let mask = claim.mask.load(Relaxed);
        let (bit, left) = (mask.trailing_zeros(), mask & (mask - 1));
        claim.mask.store(left, Relaxed);
        if left == 0 {
            self.account_claim_used(used);
        }
        let first = claim.unit(bit, self.heap().geometry().unit())?;
        let zero = self.zero_claims.load(Relaxed) >> used & 1 != 0;
        Some(Block { first, zero })
    }

    fn account_claim_used(&self, used: u32) {
        let all_used = used + 1 == self.claims.load(Relaxed);
        if all_used {
            self.claims.store(0, Relaxed);
        }
        self.claims_used
            .store(if all_used { 0 } else { used + 1 }, Relaxed);
    }

    /// Puts a unit on the stack, if it has room.
    #[inline(never)]
    fn push(&self, unit: NonNull<u8>) -> bool {
        let stacked = self.stacked.load(Relaxed);
        let Some(slot) = self.slots().get(stacked as usize) else {
            return false;
        };
        slot.store(unit.as_ptr(), Relaxed);
        self.stacked.store(stacked + 1, Release);
        true
    }

    fn slots(&self) -> &'static [AtomicPtr<u8>] {
        let room = self.room.load(Acquire) as usize;
        match NonNull::new(self.stack.load(Acquire)) {
            // SAFETY: invariant 1. A reader on another thread may see an old `room` with a new
            // stack, which is larger: `room` grows last.
            Some(first) => unsafe { core::slice::from_raw_parts(first.as_ptr(), room) },
            None => &[],
        }
    }
}

impl Claim {
    const fn none() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
            mask: AtomicU64::new(0),
        }
    }

    fn units(&self) -> u64 {
        u64::from(self.mask.load(Relaxed).count_ones())
    }

    fn clear(&self) {
        self.mask.store(0, Relaxed);
    }

    /// The unit of bit `bit`.
    fn unit(&self, bit: u32, unit: usize) -> Option<NonNull<u8>> {
        // The pointer has the provenance of the whole reservation, so no step leaves it.
        NonNull::new(self.first.load(Relaxed).wrapping_add(bit as usize * unit))
    }

    /// Whether the unit is one of those that are left.
    fn holds(&self, unit: NonNull<u8>, unit_size: usize) -> bool {
        let mask = self.mask.load(Relaxed);
        let first = self.first.load(Relaxed).addr();
        let index = unit.addr().get().wrapping_sub(first) / unit_size;
        mask != 0 && index < 64 && mask >> index & 1 != 0
    }

    /// The units that are left.
    fn units_left(&self, unit: usize) -> impl Iterator<Item = NonNull<u8>> {
        let mask = self.mask.load(Relaxed);
        let bits = (0..u64::BITS).filter(move |bit| mask >> bit & 1 != 0);
        bits.filter_map(move |bit| self.unit(bit, unit))
    }
}

/// Units that one cache holds at most, of each kind.
fn most_units(geometry: &Geometry) -> usize {
    (MOST_BYTES / geometry.unit()).max(1)
}

/// A count that a cache's bounds keep small.
fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a cache holds less than 2^32 units")
}
