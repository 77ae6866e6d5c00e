//! A family's extents, sorted by how full they are.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::{Extent, Standing};
use crate::heap::ground::List;

/// Shelves of partly used extents, by eighths.
const PARTLY: usize = 8;

/// The shelf of extents without a taken unit that may be backed by memory.
const SPARE: u8 = 8;

/// The shelf of extents that were given back.
const GIVEN_BACK: u8 = 9;

/// The place of extents without a free unit, which nobody looks for.
pub(in crate::heap) const FULL: u8 = 10;

/// The kind of the lists.
#[derive(Debug)]
pub(in crate::heap) struct ByFill;

/// Lists of extents. Which list an extent is on is said by its own `shelf`.
#[derive(Debug)]
pub(in crate::heap) struct Shelves {
    shelves: [List<Extent, ByFill>; PARTLY + 2],
}

impl Shelves {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            shelves: [const { List::new() }; PARTLY + 2],
        }
    }

    /// Extents with a free unit, fullest shelf first, those that were given back last.
    pub(in crate::heap) fn with_room(&self) -> impl Iterator<Item = &'static Extent> {
        let partly = (0..PARTLY).rev();
        let order = partly.chain([usize::from(SPARE), usize::from(GIVEN_BACK)]);
        order.flat_map(|shelf| self.shelves[shelf].iter())
    }

    /// Puts an extent where it belongs after its units were taken or freed.
    pub(in crate::heap) fn account_changed(&mut self, extent: &'static Extent) {
        if extent.fits_shelf() {
            return;
        }
        let (now, then) = (shelf_of(extent), extent.shelf.load(Relaxed));
        if let Some(shelf) = self.shelves.get_mut(usize::from(then)) {
            shelf.remove(extent);
        }
        if let Some(shelf) = self.shelves.get_mut(usize::from(now)) {
            shelf.push(extent);
        }
        extent.put_on_shelf(now, taken_on_shelf(now, extent.capacity()));
    }
}

/// How many taken units an extent of the shelf may have: from the first number on, and fewer
/// than the second.
fn taken_on_shelf(shelf: u8, capacity: usize) -> (usize, usize) {
    match shelf {
        SPARE | GIVEN_BACK => (0, 1),
        FULL => (capacity, capacity + 1),
        shelf => {
            let bound = |eighths: usize| (eighths * capacity).div_ceil(PARTLY);
            let shelf = usize::from(shelf);
            (bound(shelf).max(1), bound(shelf + 1))
        }
    }
}

/// Which shelf an extent belongs on.
pub(in crate::heap) fn shelf_of(extent: &Extent) -> u8 {
    match extent.taken_units() {
        0 if extent.standing() == Standing::GivenBack => GIVEN_BACK,
        taken => shelf_for(taken, extent.capacity()),
    }
}

fn shelf_for(taken: usize, capacity: usize) -> u8 {
    match taken {
        0 => SPARE,
        _ if taken == capacity => FULL,
        _ => u8::try_from(taken * PARTLY / capacity).unwrap_or(FULL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_within_the_bounds_of_its_shelf() {
        for capacity in [8, 9, 31, 64, 1_001] {
            for taken in 0..=capacity {
                let shelf = shelf_for(taken, capacity);
                let (from, until) = taken_on_shelf(shelf, capacity);
                assert!((from..until).contains(&taken), "{taken} of {capacity}");
                assert_eq!(shelf_for(from, capacity), shelf);
                assert_eq!(shelf_for(until - 1, capacity), shelf);
            }
        }
    }
}
