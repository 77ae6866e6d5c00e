//! Which families grow steadily, from samples alone: without a clock, a registry or a lock.

use core::time::Duration;

use super::clock::Clock;
use super::suspect::{Change, Suspect};

/// Watches families by their numbers.
#[derive(Debug)]
pub(super) struct Judge {
    clock: Clock,
    /// Before this, families are watched but none is named.
    settled: Duration,
    families: Vec<Option<Box<Suspect>>>,
}

impl Judge {
    /// Watches from now on, and names no family before `settled`.
    pub(super) fn new(settled: Duration) -> Self {
        Self {
            clock: Clock::new(),
            settled,
            families: Vec::new(),
        }
    }

    /// Adds the live units of each family at `now`, measured from the start; returns what changed.
    ///
    /// A family is known by its number, and is in every sample from its first on.
    pub(super) fn observe(
        &mut self,
        now: Duration,
        sample: impl IntoIterator<Item = (usize, u64)>,
    ) -> Vec<(usize, Change)> {
        self.clock.tick(now);
        let is_settled = now >= self.settled;
        let judged = sample.into_iter().filter_map(|(number, live_units)| {
            let family = known(&mut self.families, number);
            family.add(&self.clock, live_units);
            let change = family.judge(&self.clock, is_settled)?;
            Some((number, change))
        });
        judged.collect()
    }
}

/// What is known of a family.
fn known(families: &mut Vec<Option<Box<Suspect>>>, number: usize) -> &mut Suspect {
    if families.len() <= number {
        families.resize_with(number + 1, || None);
    }
    families[number].get_or_insert_with(|| Box::new(Suspect::new()))
}
