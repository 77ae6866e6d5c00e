//! Released long rows, in lists by length.
//!
//! A request takes a block of exactly its length, or of at most an eighth more. `slack` says what happens with
//! the rest. Blocks are not split or joined here, but in the maps, when they go back there.

use core::ops::RangeInclusive;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::heap::ground::{Block, Geometry, LONGEST_ROW, Link, Row};
use crate::heap::pages::{Slack, most_slack};
use crate::sync::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64};

/// Lengths are below this many units. It is a power of two, so that no index needs a test.
const LENGTHS: usize = 512;

/// Slots for blocks. Slot 0 stays empty.
const PLACES: usize = 1024;

/// Bytes of blocks that one cache keeps, at most: an eighth of the family's taken memory, within these bounds.
const MOST_BYTES: RangeInclusive<usize> = 256 << 10..=4 << 20;

/// A full cache gives up one slot in this many.
const PARTS: u16 = 4;

/// The released long rows of one thread and one family.
///
/// # Invariants
///
/// 1. Only the thread of the cache stores into the fields, in a section or under the family's lock; or another
///    thread under that lock, while the first is kept out of its sections: see `biased`.
/// 2. Slots have numbers from 1; 0 is none. Those up to `used` are on one list each: of their block's length,
///    or of vacant slots, whose `first` is null.
/// 3. The slot of a block of n units, n from `LONG_ROW` on, holds its first unit. The block is taken in the
///    maps, has no slack units, and is in no other slot.
#[derive(Debug)]
pub(in crate::heap) struct Rows {
    /// Units of the longest block that may be kept here.
    longest: AtomicU16,
    vacant: AtomicU16,
    used: AtomicU16,
    /// Which of `PARTS` slots was drained last.
    turn: AtomicU16,
    /// Blocks that are kept here.
    count: AtomicU32,
    /// Their units, and how many there may be.
    held: AtomicU32,
    most_held: AtomicU32,
    /// Slack units that left with blocks, less those that came; wraps. A block may come back to another cache,
    /// so only the sum over all caches is the slack of the live blocks.
    slack: AtomicU64,
    /// A bit for each length, set if there are blocks of it.
    lengths: [AtomicU64; LENGTHS / 64],
    newest: [AtomicU16; LENGTHS],
    places: [Slot; PLACES],
}

/// A kept block.
#[derive(Debug)]
struct Slot {
    first: AtomicPtr<u8>,
    /// The entry of the block's slack, which would take long to look up.
    slack: Link<Slack>,
    next: AtomicU16,
    units: AtomicU16,
}

// SAFETY: the fields of `Slot` are atomic integers, an atomic pointer and a link, and zero is a value of
// each.
unsafe impl bytemuck::Zeroable for Slot {}

// SAFETY: the fields of `Rows` are atomic integers and slots, and zero is a value of each.
unsafe impl bytemuck::Zeroable for Rows {}

// A block may come back longer, by its slack, than it was asked for.
const _: () = assert!(LONGEST_ROW + most_slack(LONGEST_ROW) < LENGTHS);

impl Rows {
    /// Sets the room for a family of `taken` units. Returns whether there is more room than before.
    pub(in crate::heap) fn prepare(&self, geometry: &Geometry, taken: usize) -> bool {
        let unit = geometry.unit();
        let most = (taken / 8).clamp(MOST_BYTES.start() / unit, MOST_BYTES.end() / unit);
        let had = self.most_held.swap(small(most), Relaxed);
        self.longest.store(short(geometry.longest_row()), Relaxed);
        small(most) > had && self.has_place()
    }

    /// Takes a block for `units` units.
    #[inline]
    pub(in crate::heap::family::cache) fn take(&self, units: usize) -> Option<Block> {
        let length = self.length_for(units)?;
        let (first, slack) = self.pop(length)?;
        // Stored even if it is 0, since a branch here could not be predicted.
        slack.set(length - units);
        self.account_slack((length - units) as u64);
        Some(Block { first, zero: false })
    }

    /// Keeps a block that was handed out for `units` units; returns false without room.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of the cache's family.
    /// 2. Nothing uses it any more.
    #[inline]
    pub(in crate::heap::family::cache) unsafe fn put(
        &self,
        first: NonNull<u8>,
        units: usize,
    ) -> bool {
        if !self.has_room(units) {
            return false;
        }
        let noted = Slack::of(first);
        // No branch depends on this value, since its load may miss the CPU's caches.
        let slack = noted.take();
        self.account_slack((slack as u64).wrapping_neg());
        let units = units + slack;
        self.push(Row { first, units }, noted);
        true
    }

    /// Removes every block, or those of one slot in `PARTS`, and calls `free` with each.
    pub(in crate::heap) fn drain(&self, all: bool, mut free: impl FnMut(Row)) {
        let used = self.used.load(Relaxed);
        let turn = (self.turn.load(Relaxed) + 1) % PARTS;
        self.turn.store(turn, Relaxed);
        self.forget_lists();
        for number in (1..=used).rev() {
            match self.place(number).row() {
                Some(row) if all || number % PARTS == turn => {
                    free(row);
                    self.vacate(number, row.units);
                }
                Some(row) => self.list(number, row.units),
                None => self.link(&self.vacant, number),
            }
        }
        if all {
            self.vacant.store(0, Relaxed);
            self.used.store(0, Relaxed);
            // In a forked child, a call that never ends may have left something.
            self.held.store(0, Relaxed);
            self.count.store(0, Relaxed);
        }
    }

    /// Whether there is no block.
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.held.load(Relaxed) == 0
    }

    /// The number of blocks, and their units.
    pub(in crate::heap) fn held(&self) -> (u64, u64) {
        let (blocks, units) = (self.count.load(Relaxed), self.held.load(Relaxed));
        (blocks.into(), units.into())
    }

    /// The blocks.
    pub(in crate::heap) fn iter(&self) -> impl Iterator<Item = Row> {
        let used = usize::from(self.used.load(Relaxed));
        self.places.iter().take(used + 1).filter_map(Slot::row)
    }

    /// The value of the field `slack`.
    pub(in crate::heap) fn slack(&self) -> u64 {
        self.slack.load(Relaxed)
    }

    /// Returns the count of slack units, and sets it to 0. The cache is closed.
    pub(in crate::heap) fn take_slack(&self) -> u64 {
        self.slack.swap(0, Relaxed)
    }

    #[inline]
    fn push(&self, row: Row, slack: &'static Slack) {
        let number = self.vacant_place();
        let place = self.place(number);
        place.slack.set(Some(slack));
        place.units.store(short(row.units), Relaxed);
        self.list(number, row.units);
        let held = self.held.load(Relaxed) + small(row.units);
        self.held.store(held, Relaxed);
        self.count.store(self.count.load(Relaxed) + 1, Relaxed);
        // `Release`: a reader that sees the block, also in a forked child, must see all that belongs to it.
        place.first.store(row.first.as_ptr(), Release);
    }

    fn has_room(&self, units: usize) -> bool {
        // A longer block may not even lie in a VM page.
        if units > usize::from(self.longest.load(Relaxed)) {
            return false;
        }
        let held = self.held.load(Relaxed) as usize + units + most_slack(units);
        held <= self.most_held.load(Relaxed) as usize && self.has_place()
    }

    #[inline]
    fn has_place(&self) -> bool {
        self.vacant.load(Relaxed) != 0 || usize::from(self.used.load(Relaxed)) < PLACES - 1
    }

    /// The shortest length of a kept block, from `units` on, up to an eighth more.
    #[inline]
    fn length_for(&self, units: usize) -> Option<usize> {
        let from = units / 64;
        let low = self.lengths.get(from)?.load(Relaxed) >> (units % 64);
        let high = self
            .lengths
            .get(from + 1)
            .map_or(0, |word| word.load(Relaxed));
        // Two shifts, since a shift by all bits of a number is not possible.
        let found = low | high << 1 << (63 - units % 64);
        let slack = found.trailing_zeros() as usize;
        (slack <= most_slack(units)).then_some(units + slack)
    }

    /// Removes the newest block of a length that has blocks.
    #[inline]
    fn pop(&self, length: usize) -> Option<(NonNull<u8>, &'static Slack)> {
        let newest = &self.newest[length % LENGTHS];
        let number = newest.load(Relaxed);
        let place = self.place(number);
        let first = NonNull::new(place.first.load(Relaxed))?;
        let slack = place.slack.get()?;
        let next = place.next.load(Relaxed);
        newest.store(next, Relaxed);
        let word = &self.lengths[length / 64 % (LENGTHS / 64)];
        let was_last = u64::from(next == 0);
        word.store(word.load(Relaxed) & !(was_last << (length % 64)), Relaxed);
        self.vacate(number, length);
        Some((first, slack))
    }

    /// Counts slack units that leave with a block; wraps.
    #[inline]
    fn account_slack(&self, units: u64) {
        let sum = self.slack.load(Relaxed);
        self.slack.store(sum.wrapping_add(units), Relaxed);
    }

    /// Puts a slot without a block on the list of vacant slots.
    #[inline]
    fn vacate(&self, number: u16, units: usize) {
        self.place(number).first.store(ptr::null_mut(), Relaxed);
        self.link(&self.vacant, number);
        let held = self.held.load(Relaxed) - small(units);
        self.held.store(held, Relaxed);
        self.count.store(self.count.load(Relaxed) - 1, Relaxed);
    }

    /// Takes a vacant slot. The caller knows that there is one.
    #[inline]
    fn vacant_place(&self) -> u16 {
        let vacant = self.vacant.load(Relaxed);
        if vacant != 0 {
            let next = self.place(vacant).next.load(Relaxed);
            self.vacant.store(next, Relaxed);
            return vacant;
        }
        let number = self.used.load(Relaxed) + 1;
        self.used.store(number, Relaxed);
        number
    }

    /// Puts a slot on the list of its length.
    #[inline]
    fn list(&self, number: u16, units: usize) {
        self.link(&self.newest[units % LENGTHS], number);
        let word = &self.lengths[units / 64 % (LENGTHS / 64)];
        word.store(word.load(Relaxed) | 1 << (units % 64), Relaxed);
    }

    #[inline]
    fn link(&self, newest: &AtomicU16, number: u16) {
        self.place(number).next.store(newest.load(Relaxed), Relaxed);
        newest.store(number, Relaxed);
    }

    fn forget_lists(&self) {
        self.vacant.store(0, Relaxed);
        self.lengths.iter().for_each(|word| word.store(0, Relaxed));
        self.newest.iter().for_each(|list| list.store(0, Relaxed));
    }

    #[inline]
    fn place(&self, number: u16) -> &Slot {
        &self.places[usize::from(number) % PLACES]
    }
}

impl Slot {
    #[inline]
    fn row(&self) -> Option<Row> {
        Some(Row {
            first: NonNull::new(self.first.load(Acquire))?,
            units: self.units.load(Relaxed).into(),
        })
    }
}

/// Converts the length of a kept block.
#[allow(clippy::cast_possible_truncation, reason = "lengths are below 512")]
fn short(units: usize) -> u16 {
    debug_assert!(units < LENGTHS);
    units as u16
}

/// Converts a count of units of one cache.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a cache holds less than 2^32 bytes"
)]
fn small(units: usize) -> u32 {
    debug_assert!(units <= *MOST_BYTES.end());
    units as u32
}
