//! Hints: all that a release by address needs to know of a VM page, in one place. The address of a block leads
//! to the hint of its page.
//!
//! Only fast families have hints: those that mark their blocks, and whose cells are in the first part of each
//! thread's table. Their units are also small, and everything in their caches is marked, including units that
//! were never handed out.
//!
//! A hint is right for ever, since a VM page belongs to its family for ever. The table has one slot for many
//! pages, which holds the hint of the newest of them. Releases into the other pages take more steps.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::FAST_FAMILIES;
use crate::heap::family::{FreedCanaries, Heap, Marking};
use crate::heap::ground::{GRANULE, LONG_ROW, Link, RECORDS};
use crate::heap::pages::{Extent, PageState, Word, count};
use crate::os::Refused;

/// Bytes of the largest unit with hints. In larger units, the canaries of units that were never handed out
/// would take memory that no call asked for yet.
const LARGEST: usize = 256;

// A VM page of such units is one granule.
const _: () = assert!(LARGEST * 8 <= GRANULE);

/// Slots of the table: enough for 1 GiB of pages side by side.
const PLACES: usize = 1 << 14;

static HINTS: [Link<PageHint>; PLACES] = [const { Link::none() }; PLACES];

/// What a release needs to know of one VM page.
///
/// # Invariants
///
/// 1. The page has `capacity` units, the first of them at address `first`. `words` and `continues` are its
///    maps, with a word for each 64 units or part of them; `state` is its own.
/// 2. A unit has `odd` times two to the `twos` bytes, and `inverse` times `odd` is 1, modulo 2^64.
/// 3. A unit has `unit` bytes. `number` is that of the page's family and below `FAST_FAMILIES`, and `second` is
///    what the family's `Marking` says.
#[derive(Debug)]
pub(crate) struct PageHint {
    first: usize,
    inverse: u64,
    words: &'static [Word],
    continues: &'static [AtomicU64],
    state: &'static PageState,
    capacity: u32,
    unit: u16,
    number: u16,
    twos: u8,
    /// The second canary is this many bytes from the start of a block.
    second: u8,
}

/// A taken unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenUnit {
    pub(in crate::heap) hint: &'static PageHint,
    index: usize,
}

impl Heap {
    /// Whether calls from C take a few steps: the heap marks its blocks, and its cell is in the first part of
    /// each thread's table.
    #[inline]
    pub(crate) fn is_fast(&self) -> bool {
        self.number() < FAST_FAMILIES && !matches!(self.marking, Marking::None)
    }

    /// Whether the family's extents have hints.
    fn has_hints(&self) -> bool {
        self.marks_never_handed_out() && self.number() < FAST_FAMILIES
    }

    /// Whether blocks that were never handed out are marked when they come into a cache.
    pub(in crate::heap) fn marks_never_handed_out(&self) -> bool {
        self.geometry().unit() <= LARGEST && !matches!(self.marking, Marking::None)
    }

    /// Makes the hints of the extent's pages, so that releases find them.
    pub(in crate::heap) fn make_hints(&self, extent: &Extent) -> Result<(), Refused> {
        let Marking::Second(second) = self.marking else {
            return Ok(());
        };
        if !self.has_hints() {
            return Ok(());
        }
        let family = PageHint::of_family(self, second);
        let words = self.geometry().words();
        let maps_of_pages = extent
            .words
            .chunks_exact(words)
            .zip(extent.continues.chunks_exact(words));
        for (number, ((words, continues), state)) in maps_of_pages.zip(extent.states).enumerate() {
            let start = extent.place.address() + number * GRANULE;
            let hint = RECORDS.place(PageHint {
                first: start,
                words,
                continues,
                state,
                capacity: count(self.page_capacity()),
                ..family
            })?;
            place_of(start).set(Some(hint));
        }
        Ok(())
    }

    /// Marks blocks that come into a cache and were never handed out, if releases rely on it. Returns whether
    /// they do.
    ///
    /// # Safety
    ///
    /// 1. Each of `blocks` starts with a taken unit of this heap.
    /// 2. Nothing uses them.
    pub(in crate::heap) unsafe fn mark_never_handed_out(
        &self,
        blocks: impl Iterator<Item = NonNull<u8>>,
    ) -> bool {
        let marks_never_handed_out = self.marks_never_handed_out();
        if marks_never_handed_out {
            // SAFETY: requirements 1 and 2 are those of `canaries_of`: the canaries are set here alone.
            let canaries = blocks.filter_map(|block| unsafe { self.canaries_of(block) });
            canaries.for_each(|canaries| canaries.set());
        }
        marks_never_handed_out
    }
}

impl PageHint {
    /// The part of a hint that is the same for all pages of a family.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a logarithm, and a number below `FAST_FAMILIES`"
    )]
    fn of_family(heap: &Heap, second: u8) -> Self {
        let unit = heap.geometry().unit();
        let twos = unit.trailing_zeros();
        Self {
            first: 0,
            inverse: inverse_of(unit as u64 >> twos),
            words: &[],
            continues: &[],
            state: PageState::unused(),
            capacity: 0,
            unit: unit as u16,
            number: heap.number() as u16,
            twos: twos as u8,
            second,
        }
    }

    /// The index of the unit that starts at `address`. If none does, some number that is no index.
    ///
    /// Source: Warren, "Hacker's Delight", "Test for Zero Remainder after Division by a Constant": a number
    /// times the inverse of a divisor is the quotient if there is no remainder, and very large if there is.
    #[inline]
    fn index_of(&self, address: usize) -> usize {
        let offset = address.wrapping_sub(self.first) as u64;
        let quotient = offset.wrapping_mul(self.inverse);
        usize::try_from(quotient.rotate_right(self.twos.into())).unwrap_or(usize::MAX)
    }

    /// Bytes of a unit.
    #[inline]
    pub(in crate::heap) fn unit(&self) -> usize {
        self.unit.into()
    }

    /// The number of the family.
    #[inline]
    pub(in crate::heap) fn number(&self) -> usize {
        self.number.into()
    }

    /// The canaries of the block at `first`.
    ///
    /// # Safety
    ///
    /// 1. A taken unit of the page starts at `first`.
    /// 2. What this returns is set and cleared only while nothing uses the block there.
    #[inline]
    pub(in crate::heap) unsafe fn canaries_of(&self, first: NonNull<u8>) -> FreedCanaries {
        // SAFETY: requirements 1 and 2 are the first two of `FreedCanaries::of`. By invariant 3 `second` is
        // what the family's `Marking` says.
        unsafe { FreedCanaries::of(first, self.second) }
    }
}

impl TakenUnit {
    /// The taken unit that starts at `address`, if there is one, and its page has a hint.
    #[inline]
    pub(in crate::heap) fn at(address: usize) -> Option<Self> {
        let hint = place_of(address).get()?;
        let index = hint.index_of(address);
        if index >= hint.capacity as usize {
            return None;
        }
        // SAFETY: invariant 1: the unit is one of the page's.
        let taken = unsafe { hint.words.get_unchecked(index / 64) }.taken();
        (taken >> (index % 64) & 1 != 0).then_some(Self { hint, index })
    }

    /// Whether all blocks of the page have one unit.
    #[inline]
    pub(in crate::heap) fn is_alone(&self) -> bool {
        !self.hint.state.has_rows()
    }

    /// The units of the block that starts here, if one does and is too short for slack.
    #[inline]
    pub(in crate::heap) fn short_block(&self) -> Option<usize> {
        let (continues, bit) = (self.hint.continues, self.index % 64);
        // SAFETY: invariant 1 of the hint: the unit is one of the page's.
        let low = unsafe { continues.get_unchecked(self.index / 64) }.load(Relaxed) >> bit;
        let next = continues.get(self.index / 64 + 1);
        let high = next.map_or(0, |word| word.load(Relaxed));
        // The bits of the units after this one.
        let after = low >> 1 | high << (63 - bit);
        let units = after.trailing_ones() as usize + 1;
        (low & 1 == 0 && units < LONG_ROW).then_some(units)
    }
}

/// The number that gives 1 when multiplied by `odd`, modulo 2^64.
///
/// Source: Warren, "Hacker's Delight": each step of Newton's method doubles the number of right bits. An odd
/// number is its own inverse modulo 8, so the first three bits are right.
fn inverse_of(odd: u64) -> u64 {
    (0..5).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)))
    })
}

/// The slot for the hint of the page that contains `address`.
#[inline]
fn place_of(address: usize) -> &'static Link<PageHint> {
    &HINTS[address / GRANULE % PLACES]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_are_inverse() {
        for odd in (1..1_u64 << 12).step_by(2) {
            assert_eq!(odd.wrapping_mul(inverse_of(odd)), 1, "{odd}");
        }
    }
}
