//! The extents of a family, sorted by how full they are.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::{Extent, MemoryState};
use crate::heap::ground::List;

/// Lists for partly used extents, one for each eighth.
const PARTLY: usize = 8;

/// The fullness of extents without a taken unit that memory may back.
const UNBOUND: u8 = 8;

/// The fullness of extents that were given back.
const GIVEN_BACK: u8 = 9;

/// The fullness of extents without a free unit. They are on no list, since no search looks for them.
pub(in crate::heap) const FULL: u8 = 10;

/// The kind of these lists.
#[derive(Debug)]
pub(in crate::heap) struct ByFill;

/// Lists of extents. The `fullness` of an extent says which list it is on.
#[derive(Debug)]
pub(in crate::heap) struct FullnessLists {
    fullness_lists: [List<Extent, ByFill>; PARTLY + 2],
    /// The same for extents of sampled blocks.
    sampled: [List<Extent, ByFill>; PARTLY + 2],
}

impl FullnessLists {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            fullness_lists: [const { List::new() }; PARTLY + 2],
            sampled: [const { List::new() }; PARTLY + 2],
        }
    }

    /// Extents with a free unit that may be used, without those of sampled blocks: the fullest first, those that
    /// were given back last.
    pub(in crate::heap) fn with_room(&self) -> impl Iterator<Item = &'static Extent> {
        in_order(&self.fullness_lists)
    }

    /// The same among the extents of sampled blocks.
    pub(in crate::heap) fn sampled_with_room(&self) -> impl Iterator<Item = &'static Extent> {
        in_order(&self.sampled)
    }

    /// Moves an extent to the right list after its units were taken or freed.
    pub(in crate::heap) fn account_changed(&mut self, extent: &'static Extent) {
        if extent.keeps_fullness() {
            return;
        }
        let (now, then) = (fullness_of(extent), extent.fullness.load(Relaxed));
        let lists = if extent.is_sampled() {
            &mut self.sampled
        } else {
            &mut self.fullness_lists
        };
        if let Some(fullness) = lists.get_mut(usize::from(then)) {
            fullness.remove(extent);
        }
        if let Some(fullness) = lists.get_mut(usize::from(now)) {
            fullness.push(extent);
        }
        extent.set_fullness(now, taken_at_fullness(now, extent.capacity()));
    }
}

/// The extents of all lists that may be used: the fullest first, those that were given back last.
fn in_order(lists: &[List<Extent, ByFill>]) -> impl Iterator<Item = &'static Extent> {
    let partly = (0..PARTLY).rev();
    let order = partly.chain([usize::from(UNBOUND), usize::from(GIVEN_BACK)]);
    let all = order.flat_map(|fullness| lists[fullness].iter());
    all.filter(|extent| extent.may_be_used())
}

/// The taken units of an extent of the fullness: from the first number on, and fewer than the second.
fn taken_at_fullness(fullness: u8, capacity: usize) -> (usize, usize) {
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

/// The fullness of an extent, which is the number of its list.
pub(in crate::heap) fn fullness_of(extent: &Extent) -> u8 {
    match extent.taken_units() {
        0 if extent.memory_state() == MemoryState::GivenBack => GIVEN_BACK,
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
                let (from, until) = taken_at_fullness(fullness, capacity);
                assert!((from..until).contains(&taken), "{taken} of {capacity}");
                assert_eq!(fullness_for(from, capacity), fullness);
                assert_eq!(fullness_for(until - 1, capacity), fullness);
            }
        }
    }
}
