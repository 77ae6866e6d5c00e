//! Steps of a model on one of the engine's atomics.

use core::sync::atomic::Ordering::{self, Relaxed};
use std::rc::Rc;

use loom::sync::atomic::AtomicU64;
use loom::thread::{self, ThreadId};

use super::execution::with_atomic_at;
use super::modelled::{Modelled, Unused};

/// The address of one of the engine's atomics, and its value outside of the model.
pub(super) struct Place {
    pub(super) address: usize,
    pub(super) start: u64,
}

impl Place {
    /// Loads the value; `Own` if no other thread stored one. `None` outside of models.
    pub(super) fn load(&self, order: Ordering) -> Option<Loaded> {
        let thread = self.thread()?;
        let mark = self.with(|atomic, unused| atomic.mark_of(thread, unused))?;
        mark.store(0, Relaxed);
        // Other threads may have stored since.
        let (others, distance, start) = self.with(|atomic, _| {
            let others = atomic.has_other_writers(thread);
            (others, Rc::clone(&atomic.distance), atomic.start)
        })?;
        if !others {
            return Some(Loaded::Own);
        }
        Some(Loaded::Any(start.wrapping_add(distance.load(order))))
    }

    pub(super) fn store(&self, value: u64, order: Ordering) {
        self.change(|distance, start| {
            distance.store(value.wrapping_sub(start), order);
            Ok(0)
        });
    }

    pub(super) fn swap(&self, value: u64, order: Ordering) -> Option<u64> {
        self.change(|distance, start| Ok(distance.swap(value.wrapping_sub(start), order)))?
            .ok()
    }

    pub(super) fn add(&self, value: u64, order: Ordering) -> Option<u64> {
        self.change(|distance, _| Ok(distance.fetch_add(value, order)))?
            .ok()
    }

    pub(super) fn or(&self, bits: u64, order: Ordering) -> Option<u64> {
        self.change(|distance, start| {
            let or = |distance: u64| (start.wrapping_add(distance) | bits).wrapping_sub(start);
            distance.fetch_update(order, Relaxed, |distance| Some(or(distance)))
        })?
        .ok()
    }

    pub(super) fn compare_exchange(
        &self,
        known: u64,
        new: u64,
        (success, failure): (Ordering, Ordering),
    ) -> Option<Result<u64, u64>> {
        self.change(|distance, start| {
            let (known, new) = (known.wrapping_sub(start), new.wrapping_sub(start));
            distance.compare_exchange(known, new, success, failure)
        })
    }

    /// Takes a step that may store. `step` works on distances; the result has values.
    fn change(
        &self,
        step: impl FnOnce(&AtomicU64, u64) -> Result<u64, u64>,
    ) -> Option<Result<u64, u64>> {
        let thread = self.thread()?;
        let mut touched = 0;
        while let Some((of, mark)) = self.with(|atomic, _| atomic.marks.get(touched).cloned())? {
            touched += 1;
            if of != thread {
                mark.store(0, Relaxed);
            }
        }
        let (distance, start) =
            self.with(|atomic, _| (Rc::clone(&atomic.distance), atomic.start))?;
        let answer = step(&distance, start);
        if answer.is_ok() {
            self.with(|atomic, _| atomic.account_store(thread));
        }
        let value = |distance| start.wrapping_add(distance);
        Some(answer.map(value).map_err(value))
    }

    fn thread(&self) -> Option<ThreadId> {
        self.with(|_, _| ())?;
        Some(thread::current().id())
    }

    /// Calls `f`, which must take no step of the model.
    fn with<R>(&self, f: impl FnOnce(&mut Modelled, &mut Unused) -> R) -> Option<R> {
        with_atomic_at(self.address, || self.start, f)
    }
}

/// The result of a load.
pub(super) enum Loaded {
    /// The last value stored: by the loading thread, or before any thread started.
    Own,
    Any(u64),
}
