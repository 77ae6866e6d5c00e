//! What a release by address has to know of a VM page, in one place: a card for each page, found by the
//! address alone.
//!
//! Only near families have cards: those that mark their blocks, and whose cells are at hand. Their units
//! are small, too, and everything in their caches is marked, also what was never handed out.
//!
//! A card is right for ever, since a VM page belongs to its family for ever. The table has one place
//! for many pages, and the newest stands there: releases into the others take more steps.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Heap;
use super::geometry::{GRANULE, LONG_ROW};
use super::link::Link;
use super::marks::{Marking, Marks};
use super::meta::RECORDS;
use super::page::PageState;
use super::record::Place;
use super::thread::NEAR;
use crate::os::Refused;

/// Units up to this many bytes have cards. With more, marks in what was never handed out would take
/// memory that nobody asked for yet.
const LARGEST: usize = 256;

// A VM page of such units is one granule.
const _: () = assert!(LARGEST * 8 <= GRANULE);

/// Places of the table: for 1 GiB of pages side by side.
const PLACES: usize = 1 << 14;

static CARDS: [Link<Card>; PLACES] = [const { Link::none() }; PLACES];

/// What is needed of one VM page.
///
/// # Invariants
///
/// 1. The page's units fill `span` bytes from `first` on. `taken` and `joined` are the words of its maps,
///    one for each 64 units or part of them; `state` is its own.
/// 2. `heap` is the page's, and near.
#[derive(Debug)]
pub(super) struct Card {
    first: usize,
    taken: &'static [AtomicU64],
    joined: &'static [AtomicU64],
    state: &'static PageState,
    pub(super) heap: &'static Heap,
    span: u32,
    /// Where the second mark is, in bytes from the start of a block.
    second: u8,
}

/// The maps and states of an extent.
pub(super) struct Maps {
    pub(super) taken: &'static [AtomicU64],
    pub(super) joined: &'static [AtomicU64],
    pub(super) states: &'static [PageState],
}

impl Heap {
    /// Whether calls of C programs take few steps: the heap marks its blocks, and has a cell at hand in
    /// each thread.
    #[inline]
    pub(crate) fn is_near(&self) -> bool {
        self.number() < NEAR && !matches!(self.marking, Marking::None)
    }

    /// Whether the family's extents have cards.
    fn has_cards(&self) -> bool {
        self.is_near() && self.geometry().unit() <= LARGEST
    }

    /// Makes the cards of the pages at `place`, of which the first has so much colour, and lets
    /// releases find them.
    pub(super) fn make_cards(
        &'static self,
        place: Place,
        colour: usize,
        maps: &Maps,
    ) -> Result<(), Refused> {
        let Marking::Second(second) = self.marking else {
            return Ok(());
        };
        if !self.has_cards() {
            return Ok(());
        }
        let words = self.geometry().words();
        let maps_of_pages = maps
            .taken
            .chunks_exact(words)
            .zip(maps.joined.chunks_exact(words));
        for (number, ((taken, joined), state)) in maps_of_pages.zip(maps.states).enumerate() {
            let colour = if number == 0 { colour } else { 0 };
            let start = place.address() + number * GRANULE;
            let span = self.geometry().capacity_without(colour) * self.geometry().unit();
            let card = RECORDS.place(Card {
                first: start + colour,
                taken,
                joined,
                state,
                heap: self,
                span: u32::try_from(span).map_err(|_| Refused)?,
                second,
            })?;
            place_of(start).set(Some(card));
        }
        Ok(())
    }

    /// Marks blocks that come into a cache and were never handed out, if releases rely on that; whether
    /// they do.
    pub(super) fn mark_unissued(&self, blocks: impl Iterator<Item = NonNull<u8>>) -> bool {
        let has_cards = self.has_cards();
        if has_cards {
            // SAFETY: the caller has just taken the blocks from the maps, and nobody else has them.
            let marks = blocks.filter_map(|block| unsafe { self.marks_of(block) });
            marks.for_each(|marks| marks.set());
        }
        has_cards
    }
}

impl Card {
    /// The card of the page that `address` is in, and the index of the taken unit that starts there, if
    /// there are both.
    #[inline]
    pub(super) fn of_taken(address: usize) -> Option<(&'static Self, usize)> {
        let card = place_of(address).get()?;
        let offset = address.wrapping_sub(card.first);
        if offset >= card.span as usize {
            return None;
        }
        let geometry = card.heap.geometry();
        let index = geometry.index_of(offset);
        // SAFETY: invariant 1: the unit is one of the page's.
        let taken = unsafe { card.taken.get_unchecked(index / 64) }.load(Relaxed);
        let is_taken = taken >> (index % 64) & 1 != 0;
        (is_taken && index * geometry.unit() == offset).then_some((card, index))
    }

    /// Whether all blocks of the page have one unit.
    #[inline]
    pub(super) fn has_units_alone(&self) -> bool {
        !self.state.has_joined()
    }

    /// The units of the block that starts at the taken unit `index`, if one does, and it is too short
    /// for surplus units.
    #[inline]
    pub(super) fn short_block(&self, index: usize) -> Option<usize> {
        let bit = index % 64;
        let low = self.joined.get(index / 64)?.load(Relaxed) >> bit;
        let next = self.joined.get(index / 64 + 1);
        let high = next.map_or(0, |word| word.load(Relaxed));
        // The bits of the units after this one.
        let after = low >> 1 | high << (63 - bit);
        let units = after.trailing_ones() as usize + 1;
        (low & 1 == 0 && units < LONG_ROW).then_some(units)
    }

    /// The marks of the block at `first`.
    ///
    /// # Safety
    ///
    /// A taken unit of the page starts at `first`. It is written once nobody uses it.
    #[inline]
    pub(super) unsafe fn marks_of(&self, first: NonNull<u8>) -> Marks {
        // SAFETY: the caller promises it, and `second` is the family's.
        unsafe { Marks::of(first, self.second) }
    }
}

/// Where the card stands, if any does, of the page that `address` is in.
#[inline]
fn place_of(address: usize) -> &'static Link<Card> {
    &CARDS[address / GRANULE % PLACES]
}
