//! The blocks of a VM page and the kinds of record, for code that walks over them.

use super::extent::Extent;
use super::page::{Page, Spot};
use super::record::Record;
use crate::heap::pages::large::Large;

/// A block in the maps: live, in a cache, or in quarantine.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct TakenBlock {
    pub(in crate::heap) spot: Spot,
    pub(in crate::heap) units: usize,
}

impl Page {
    /// The taken blocks of the page, by address.
    pub(in crate::heap) fn blocks(self) -> impl Iterator<Item = TakenBlock> {
        let map = self.whole_map();
        let mut next = 0;
        core::iter::from_fn(move || {
            let index = map.next_taken(next)?;
            let units = map.block_units(index);
            next = index + units;
            let spot = Spot { page: self, index };
            Some(TakenBlock { spot, units })
        })
    }

    /// The block that contains unit `index`; `None` if the unit is free.
    pub(in crate::heap) fn block_around(self, index: usize) -> Option<TakenBlock> {
        let map = self.whole_map();
        let first = map.first_of_block(index)?;
        Some(TakenBlock {
            spot: Spot {
                page: self,
                index: first,
            },
            units: map.block_units(first),
        })
    }
}

impl Record {
    pub(in crate::heap) fn extent(&'static self) -> Option<&'static Extent> {
        match self {
            Self::Extent(extent) => Some(extent),
            Self::Large(_) => None,
        }
    }

    /// The VM pages of the record.
    pub(in crate::heap) fn pages(&'static self) -> impl Iterator<Item = Page> {
        self.extent().into_iter().flat_map(Extent::pages)
    }

    pub(in crate::heap) fn large(&'static self) -> Option<&'static Large> {
        match self {
            Self::Extent(_) => None,
            Self::Large(large) => Some(large),
        }
    }
}
