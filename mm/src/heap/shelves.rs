//! A family's extents, sorted by how full they are.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::Extent;
use super::list::List;

/// Shelves of partly used extents, by eighths.
const PARTLY: usize = 8;

/// The shelf of extents without a taken unit.
pub(super) const EMPTY: u8 = 8;

/// The place of extents without a free unit, which nobody looks for.
pub(super) const FULL: u8 = 9;

/// Lists of extents. Which list an extent is on is said by its own `shelf`.
#[derive(Debug)]
pub(super) struct Shelves {
    shelves: [List<Extent>; PARTLY + 1],
}

impl Shelves {
    pub(super) const fn new() -> Self {
        Self {
            shelves: [const { List::new() }; PARTLY + 1],
        }
    }

    /// Extents with a free unit, fullest shelf first, empty ones last.
    pub(super) fn with_room(&self) -> impl Iterator<Item = &'static Extent> {
        let partly = (0..PARTLY).rev();
        let order = partly.chain([usize::from(EMPTY)]);
        order.flat_map(|shelf| self.shelves[shelf].iter())
    }

    /// Puts an extent where it belongs after its units were taken or freed.
    pub(super) fn account_changed(&mut self, extent: &'static Extent) {
        let (now, then) = (shelf_of(extent), extent.shelf.load(Relaxed));
        if now == then {
            return;
        }
        if let Some(shelf) = self.shelves.get_mut(usize::from(then)) {
            shelf.remove(extent);
        }
        if let Some(shelf) = self.shelves.get_mut(usize::from(now)) {
            shelf.push(extent);
        }
        extent.shelf.store(now, Relaxed);
    }
}

/// Which shelf an extent belongs on.
pub(super) fn shelf_of(extent: &Extent) -> u8 {
    let (taken, capacity) = (extent.taken_units(), extent.capacity());
    match taken {
        0 => EMPTY,
        _ if taken == capacity => FULL,
        _ => u8::try_from(taken * PARTLY / capacity).unwrap_or(FULL),
    }
}
