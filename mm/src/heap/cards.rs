//! What a release by address has to know of a VM page, side by side: a card for each page.
//!
//! Only families have cards that mark their blocks, whose units are small, and whose cells are at hand.
//! In their caches everything is marked, also what was never handed out.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Heap;
use super::extent::Extent;
use super::geometry::{EXTENT, GRANULE, Geometry, LONG_ROW};
use super::marks::Marking;
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

/// What is needed of one VM page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    /// Address of the first unit.
    first: usize,
    taken: &'static [AtomicU64],
    joined: &'static [AtomicU64],
    state: &'static PageState,
}

impl Heap {
    /// Whether the family's extents have cards.
    fn has_cards(&self) -> bool {
        let is_small = self.geometry().unit() <= LARGEST;
        is_small && self.number() < NEAR && !matches!(self.marking, Marking::None)
    }

    /// Makes the cards of the pages at `place`, with their maps and states.
    pub(super) fn make_cards(
        &self,
        place: Place,
        colour: usize,
        [taken, joined]: [&'static [AtomicU64]; 2],
        states: &'static [PageState],
    ) -> Result<&'static [Card], Refused> {
        if !self.has_cards() {
            return Ok(&[]);
        }
        let Some(state) = states.first() else {
            return Ok(&[]);
        };
        let mut cards = [Card {
            first: 0,
            taken,
            joined,
            state,
        }; EXTENT / GRANULE];
        let words = self.geometry().words();
        let maps = taken.chunks_exact(words).zip(joined.chunks_exact(words));
        let pages = maps.zip(states).enumerate();
        for (card, (number, ((taken, joined), state))) in cards.iter_mut().zip(pages) {
            let colour = if number == 0 { colour } else { 0 };
            let first = place.address() + number * GRANULE + colour;
            *card = Card {
                first,
                taken,
                joined,
                state,
            };
        }
        RECORDS.copied(&cards[..states.len()])
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

impl Extent {
    /// The card of the page that `address`, which lies in the extent, is in.
    #[inline]
    pub(super) fn card_at(&'static self, address: usize) -> Option<&'static Card> {
        self.cards.get(address.wrapping_sub(self.start()) / GRANULE)
    }
}

impl Card {
    /// The taken unit that starts at `address`, if one does; `geometry` is the family's.
    #[inline]
    pub(super) fn taken_at(&self, geometry: &Geometry, address: usize) -> Option<usize> {
        let offset = address.checked_sub(self.first)?;
        let index = geometry.index_of(offset);
        let taken = self.taken.get(index / 64)?.load(Relaxed);
        let is_taken = taken >> (index % 64) & 1 != 0;
        (is_taken && index * geometry.unit() == offset).then_some(index)
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
}
