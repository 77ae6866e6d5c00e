//! The way from the address of a unit to its page and index.

use core::ptr::NonNull;

use super::extent::Extent;
use super::page::{Page, Spot};
use super::record::{Record, SPACE};
use crate::heap::ground::Geometry;
use crate::os::process;
use crate::sync::abort;

impl Extent {
    /// The page that contains `address`, and the bytes between the page's first unit and `address`. `geometry`
    /// is the family's.
    #[inline]
    pub(in crate::heap) fn page_at(
        &'static self,
        geometry: &Geometry,
        address: usize,
    ) -> (Page, usize) {
        let (number, inside) = geometry.split_pages(address.wrapping_sub(self.start));
        let page = Page {
            extent: self,
            number,
        };
        (page, inside)
    }

    /// The unit that contains `address`, if there is one.
    pub(in crate::heap) fn spot_containing(&'static self, address: usize) -> Option<Spot> {
        let (page, inside) = self.page_at(self.geometry(), address);
        let index = self.geometry().index_of(inside);
        (index < page.capacity()).then_some(Spot { page, index })
    }

    /// The unit that starts at `address`, if there is one.
    #[inline]
    pub(in crate::heap) fn spot_at(&'static self, address: usize) -> Option<Spot> {
        let (page, inside) = self.page_at(self.geometry(), address);
        let index = self.geometry().index_of(inside);
        let is_start = index * self.geometry().unit() == inside && index < page.capacity();
        is_start.then_some(Spot { page, index })
    }
}

/// The extent that contains an address.
#[inline]
pub(in crate::heap) fn extent_of(unit: NonNull<u8>) -> Option<&'static Extent> {
    match SPACE.record_at(unit.addr().get())? {
        Record::Extent(extent) => Some(extent),
        Record::Large(_) => None,
    }
}

/// The place of a unit that a cache or a caller holds.
#[inline]
pub(in crate::heap) fn spot_of(unit: NonNull<u8>) -> Spot {
    let spot = extent_of(unit).and_then(|extent| extent.spot_at(unit.addr().get()));
    spot.unwrap_or_else(|| released_twice(unit))
}

/// Whether a block of exactly `units` units starts at the spot: live, in a cache, or in quarantine.
pub(in crate::heap) fn is_block(spot: Spot, units: usize) -> bool {
    let (map, first) = (spot.page.map(), spot.index);
    map.is_taken(first) && !map.continues(first) && map.block_units(first) == units
}

/// Ends the process: a released unit is not taken in the maps.
#[cold]
pub(in crate::heap) fn released_twice(unit: NonNull<u8>) -> ! {
    // Going on would hand out the same memory twice.
    let why = "was released twice, or is no unit; aborting";
    process::write_last_line(format_args!("the unit at {unit:p} {why}"));
    abort();
}
