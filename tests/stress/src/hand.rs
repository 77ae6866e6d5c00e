//! The blocks that one thread holds: those that it allocated, and those that it received.

use std::any::Any;
use std::panic;
use std::sync::Arc;

use fastrand::Rng;
use mm::MmBox;

use crate::choice::Choice;
use crate::held::Held;
use crate::kinds::{Kind, Plain};
use crate::shared::{Lane, Shared};

/// One block in so many is released by its address.
const BY_ADDRESS: u8 = 32;

/// One block in so many is asked for as zeros.
const ZEROED: u8 = 4;

/// The blocks of one thread, which are released with it, also when it panics.
pub(crate) struct Hand {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: usize,
    pub(crate) random: Rng,
    held: Vec<Held>,
    generation: u64,
}

impl Hand {
    /// Makes an empty hand for the thread that works in `lane`.
    pub(crate) fn new(shared: Arc<Shared>, lane: usize, seed: u64) -> Self {
        Self {
            shared,
            lane,
            random: Rng::with_seed(seed),
            held: Vec::new(),
            generation: seed,
        }
    }

    /// What the thread's lane keeps.
    pub(crate) fn lane(&self) -> &Lane {
        &self.shared.lanes[self.lane]
    }

    /// How many blocks there are.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Allocates a block of any family.
    pub(crate) fn allocate(&mut self) {
        let size = |kind| self.shared.family(kind).layout().size();
        let Choice { kind, units } = Choice::new(&mut self.random, size);
        let is_zeroed = self.random.u8(..ZEROED) == 0;
        let (family, generation) = (self.shared.family(kind), self.generation);
        self.generation += 1;
        self.lane().counts.allocate(kind, units);
        match Held::make(kind, family, units, generation, is_zeroed) {
            Ok(held) => self.held.push(held),
            Err(wrong) => self.shared.note_wrong(kind, units, wrong),
        }
    }

    /// Releases a block of this hand, whichever.
    pub(crate) fn release_any(&mut self) {
        if let Some(held) = self.take_any() {
            self.release(held);
        }
    }

    /// Releases a block.
    pub(crate) fn release(&mut self, held: Held) {
        let by_address = self.random.u8(..BY_ADDRESS) == 0;
        let Held { kind, units, .. } = held;
        match held.release(by_address) {
            Ok(()) => self.lane().counts.release(kind, units),
            Err(wrong) => self.shared.note_wrong(kind, units, wrong),
        }
    }

    /// Puts a block of this hand into a slot that others share, and takes what was there.
    pub(crate) fn swap(&mut self) {
        let slot = self.random.usize(..self.shared.exchange.slots());
        let mine = self.take_any();
        self.held.extend(self.shared.exchange.swap(slot, mine));
    }

    /// Empties the slot; releases what was there.
    pub(crate) fn clear(&mut self, slot: usize) {
        if let Some(held) = self.shared.exchange.swap(slot, None) {
            self.release(held);
        }
    }

    /// Sends the newest `count` blocks to any lane, if that takes more.
    pub(crate) fn send(&mut self, count: usize) {
        let lane = self.random.usize(..self.shared.options.threads);
        let batch = self.held.split_off(self.held.len().saturating_sub(count));
        if let Err(batch) = self.shared.exchange.send(lane, batch) {
            self.held.extend(batch);
        }
    }

    /// Takes what others sent to a lane; false if there is nothing.
    pub(crate) fn receive(&mut self, lane: usize) -> bool {
        let batch = self.shared.exchange.receive(lane);
        let is_one = batch.is_some();
        self.held.extend(batch.into_iter().flatten());
        is_one
    }

    /// Begins a row of values, and unwinds with `payload` from the middle of it.
    pub(crate) fn unwind_from_a_row(&mut self, units: usize, payload: Box<dyn Any + Send>) -> ! {
        let counts = &self.lane().counts;
        counts.allocate(Kind::Plain, units);
        // Dropped after the row's units were released.
        let _counted = CountRelease(self.lane(), units);
        let (stop, mut payload) = (units / 2, Some(payload));
        drop(MmBox::<[Plain]>::from_fn(units, |index| {
            if index == stop
                && let Some(payload) = payload.take()
            {
                panic::resume_unwind(payload);
            }
            bytemuck::Zeroable::zeroed()
        }));
        unreachable!("the closure unwinds at half of the units");
    }

    fn take_any(&mut self) -> Option<Held> {
        if self.held.is_empty() {
            return None;
        }
        let index = self.random.usize(..self.held.len());
        Some(self.held.swap_remove(index))
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        while let Some(held) = self.held.pop() {
            self.release(held);
        }
    }
}

/// Counts the release of a row of `Plain` that no thread got.
struct CountRelease<'a>(&'a Lane, usize);

impl Drop for CountRelease<'_> {
    fn drop(&mut self) {
        self.0.counts.release(Kind::Plain, self.1);
    }
}
