//! The stack of released units: how it grows; the flush of all units of a cache.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Relaxed, Release};

use super::{MOST_BYTES, small};
use crate::heap::family::cache::record::{CacheRecord, Slot};
use crate::heap::ground::hardening::Contents;
use crate::heap::ground::{Geometry, meta};
use crate::heap::pages::spot_of;
use crate::sync::MODELLED;

/// Slots of the first stack.
const FIRST_PLACES: usize = if MODELLED { 1 } else { 16 };

/// Slots of the largest stack. With half as many, a loop that makes a thousand values and drops them takes a
/// third longer. No measured program gains from more.
const MOST_PLACES: usize = 1_024;

/// Slots of the stack of the largest size classes.
const LEAST_PLACES: usize = 2;

/// The most bytes of units on the stack of a size class. There are many classes, and a thread that sleeps keeps what is
/// on its stacks, and with each unit an OS page.
const MOST_BYTES_OF_CLASS: usize = 48 << 10;

/// The most slots of a stack for units of the geometry.
fn most_places(geometry: &Geometry) -> usize {
    let most = match geometry.contents() {
        Contents::Typed => MOST_BYTES / geometry.unit(),
        Contents::Untyped => (MOST_BYTES_OF_CLASS / geometry.unit()).max(LEAST_PLACES),
    };
    most.min(MOST_PLACES)
}

impl CacheRecord {
    /// Makes room for more released units, unless the cache may hold no more.
    ///
    /// Earlier stacks are not reused: together they are smaller than the last.
    pub(in crate::heap) fn grow_stack(&self, geometry: &Geometry) -> bool {
        let places = self.stack_capacity.load(Relaxed) as usize;
        let most = most_places(geometry);
        let wanted = (places * 4).clamp(FIRST_PLACES, MOST_PLACES).min(most);
        if wanted <= places {
            self.grows.store(0, Relaxed);
            return false;
        }
        let Ok(slots) = meta::RECORDS.zeroed::<Slot>(wanted) else {
            return false;
        };
        for (to, from) in slots.iter().zip(self.slots()) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stack.store(slots.as_ptr().cast_mut(), Release);
        self.stack_capacity.store(small(wanted), Relaxed);
        self.room.store(small(wanted), Release);
        self.grows.store((wanted < most).into(), Relaxed);
        true
    }

    /// Frees all units of the cache in the maps, or sends them to their owners. Rows stay. Takes no lock.
    pub(in crate::heap) fn flush_units(&self) {
        self.flush_run();
        self.flush_stack();
        self.enter();
        let hot = NonNull::new(self.hot.load(Relaxed));
        let (cur, left) = (self.cur.load(Relaxed), self.left());
        self.moving(|| {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                let apart = u64::from(hot.is_some());
                self.direct.store(direct.wrapping_add(apart), Relaxed);
                self.hot.store(ptr::null_mut(), Relaxed);
                let refilled = self.refilled.load(Relaxed).wrapping_sub(left);
                self.refilled.store(refilled, Relaxed);
                self.cur.store(self.end.load(Relaxed), Relaxed);
            });
            if let Some(hot) = hot {
                self.to_map(spot_of(hot));
            }
            if let Some(first) = NonNull::new(cur).filter(|_| left > 0) {
                self.free_side_by_side(first, left);
            }
        });
        self.send();
        self.leave();
    }

    /// Frees the units of the stack in the maps, or sends them to their owners.
    pub(in crate::heap::family::cache) fn flush_stack(&self) {
        let slots = self.slots();
        if slots.is_empty() {
            return;
        }
        self.enter();
        self.moving(|| {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                let units = slots.len() as u64;
                self.direct.store(direct.wrapping_add(units), Relaxed);
                self.stacked.store(0, Release);
            });
            let units = slots
                .iter()
                .filter_map(|slot| NonNull::new(slot.load(Relaxed)));
            units.for_each(|unit| self.to_map(spot_of(unit)));
        });
        self.leave();
    }
}
