//! A family's extents, sorted by how full they are.

use core::sync::atomic::Ordering::Relaxed;

use super::page::Extent;

/// Shelves of partly used extents, by eighths.
const PARTLY: usize = 8;

/// The shelf of extents without a taken unit.
pub(super) const EMPTY: u8 = 8;

/// The place of extents without a free unit, which nobody looks for.
pub(super) const FULL: u8 = 9;

/// Lists of extents. What a list holds is said by each extent's own `shelf`.
#[derive(Debug)]
pub(super) struct Shelves {
    heads: [Option<&'static Extent>; PARTLY + 1],
}

impl Shelves {
    pub(super) const fn new() -> Self {
        Self {
            heads: [None; PARTLY + 1],
        }
    }

    /// Extents with a free unit, fullest shelf first, empty ones last.
    pub(super) fn with_room(&self) -> impl Iterator<Item = &'static Extent> + use<> {
        let heads = self.heads;
        let partly = (0..PARTLY).rev();
        partly
            .chain([usize::from(EMPTY)])
            .flat_map(move |shelf| list(heads[shelf]))
    }

    /// Puts an extent where it belongs after its units were taken or freed.
    pub(super) fn account_changed(&mut self, extent: &'static Extent) {
        let (now, then) = (shelf_of(extent), extent.shelf.load(Relaxed));
        if now != then {
            self.remove(extent, then);
            self.push(extent, now);
        }
    }

    fn push(&mut self, extent: &'static Extent, shelf: u8) {
        extent.shelf.store(shelf, Relaxed);
        if shelf == FULL {
            return;
        }
        let head = &mut self.heads[usize::from(shelf)];
        extent.next.set(*head);
        extent.previous.set(None);
        if let Some(old) = *head {
            old.previous.set(Some(extent));
        }
        *head = Some(extent);
    }

    fn remove(&mut self, extent: &Extent, shelf: u8) {
        if shelf == FULL {
            return;
        }
        let (previous, next) = (extent.previous.get(), extent.next.get());
        match previous {
            Some(before) => before.next.set(next),
            None => self.heads[usize::from(shelf)] = next,
        }
        if let Some(after) = next {
            after.previous.set(previous);
        }
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

fn list(head: Option<&'static Extent>) -> impl Iterator<Item = &'static Extent> {
    core::iter::successors(head, |extent| extent.next.get())
}
