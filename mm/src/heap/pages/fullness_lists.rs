//! A family's extents, sorted by how full they are.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::{Extent, Standing};
use crate::heap::ground::List;

/// Lists of partly used extents, by eighths.
const PARTLY: usize = 8;

/// The fullness of extents without a taken unit that may be backed by memory.
const UNBOUND: u8 = 8;

/// The fullness of extents that were given back.
const GIVEN_BACK: u8 = 9;

/// The place of extents without a free unit, which nobody looks for.
pub(in crate::heap) const FULL: u8 = 10;

/// The kind of the lists.
#[derive(Debug)]
pub(in crate::heap) struct ByFill;

/// Lists of extents. Which list an extent is on is said by its own `fullness`.
#[derive(Debug)]
pub(in crate::heap) struct FullnessLists {
    fullness_lists: [List<Extent, ByFill>; PARTLY + 2],
}

impl FullnessLists {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            fullness_lists: [const { List::new() }; PARTLY + 2],
        }
    }

    /// Extents with a free unit, fullest first, those that were given back last.
    pub(in crate::heap) fn with_room(&self) -> impl Iterator<Item = &'static Extent> {
        let partly = (0..PARTLY).rev();
        let order = partly.chain([usize::from(UNBOUND), usize::from(GIVEN_BACK)]);
        order.flat_map(|fullness| self.fullness_lists[fullness].iter())
    }

    /// Puts an extent where it belongs after its units were taken or freed.
    pub(in crate::heap) fn account_changed(&mut self, extent: &'static Extent) {
        if extent.fits_class() {
            return;
        }
        let (now, then) = (fullness_of(extent), extent.fullness.load(Relaxed));
        if let Some(fullness) = self.fullness_lists.get_mut(usize::from(then)) {
            fullness.remove(extent);
        }
        if let Some(fullness) = self.fullness_lists.get_mut(usize::from(now)) {
            fullness.push(extent);
        }
        extent.put_in_class(now, taken_in_class(now, extent.capacity()));
    }
}

/// How many taken units an extent of the fullness may have: from the first number on, and fewer
/// than the second.
fn taken_in_class(fullness: u8, capacity: usize) -> (usize, usize) {
    match fullness {
        UNBOUND | GIVEN_BACK => (0, 1),
        FULL => (capacity, capacity + 1),
        fullness => {
            let bound = |eighths: usize| (eighths * capacity).div_ceil(PARTLY);
            let fullness = usize::from(fullness);
            (bound(fullness).max(1), bound(fullness + 1))
        }
    }
}

/// Which list an extent belongs on.
pub(in crate::heap) fn fullness_of(extent: &Extent) -> u8 {
    match extent.taken_units() {
        0 if extent.standing() == Standing::GivenBack => GIVEN_BACK,
        taken => fullness_for(taken, extent.capacity()),
    }
}

fn fullness_for(taken: usize, capacity: usize) -> u8 {
    match taken {
        0 => UNBOUND,
        _ if taken == capacity => FULL,
        _ => u8::try_from(taken * PARTLY / capacity).unwrap_or(FULL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_within_the_bounds_of_its_class() {
        for capacity in [8, 9, 31, 64, 1_001] {
            for taken in 0..=capacity {
                let fullness = fullness_for(taken, capacity);
                let (from, until) = taken_in_class(fullness, capacity);
                assert!((from..until).contains(&taken), "{taken} of {capacity}");
                assert_eq!(fullness_for(from, capacity), fullness);
                assert_eq!(fullness_for(until - 1, capacity), fullness);
            }
        }
    }
}
