//! Looks at the figures while they change.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use mm::{FamilySnapshot, Limit, Track};

use crate::choice::Choice;
use crate::counts::Sum;
use crate::difference::{Comparison, Difference};
use crate::shared::Shared;

/// Single units that a thread may have taken out of its cache and not yet freed: the older half of
/// a stack, which counts as live in between.
const IN_FLIGHT: u64 = 512;

/// Snapshots one right after the other: what falls by a little only shows before more was added.
const BURST: u64 = 8;

/// Between two bursts, so that the locks are there for the workers, too.
const PAUSE: Duration = Duration::from_millis(4);

/// Takes snapshots until `done`, and compares each with the one before, and with what the program
/// counted before and after it.
pub(crate) fn watch(shared: &Shared, done: &AtomicBool) {
    let (mut last, mut taken) = (shared.start.clone(), 0_u64);
    while !done.load(Relaxed) {
        let before = shared.sums();
        let now = shared.snapshot();
        let after = shared.sums();
        for (family, now) in now.iter().enumerate() {
            let moment = Moment {
                lanes: shared.lanes.len() as u64,
                start: &shared.start[family],
                last: &last[family],
                now,
                counted: (before[family], after[family]),
            };
            if let Err(difference) = moment.check() {
                return shared.note(difference);
            }
        }
        last = now;
        taken += 1;
        if shared.options.switch {
            switch(shared, taken);
        }
        if taken.is_multiple_of(BURST) {
            thread::sleep(PAUSE);
        }
    }
}

/// Tracks and limits one family after the other, and leaves it alone again.
fn switch(shared: &Shared, step: u64) {
    let families = shared.families.len() as u64;
    let index = usize::try_from(step % families).unwrap_or_default();
    let family = shared.families[index];
    match step / families % 5 {
        0 => family.track(Track::All),
        1 => family.set_limit(Limit::units(1 << 40)),
        2 => family.track(Track::Off),
        3 => family.set_limit(None),
        _ => family.track(Track::Every(3)),
    }
}

/// What is known of one family at one moment.
struct Moment<'a> {
    lanes: u64,
    start: &'a FamilySnapshot,
    last: &'a FamilySnapshot,
    now: &'a FamilySnapshot,
    /// Before the snapshot and after it.
    counted: (Sum, Sum),
}

impl Moment<'_> {
    fn check(&self) -> Result<(), Difference> {
        agrees_with_itself(self.now)?;
        self.never_falls()?;
        self.blocks_are_those_of_the_program()?;
        self.units_are_those_of_the_program()
    }

    fn never_falls(&self) -> Result<(), Difference> {
        let (now, last) = (self.now, self.last);
        let compare = Comparison { family: now.name };
        compare.at_least("allocated", now.blocks_allocated, last.blocks_allocated)?;
        compare.at_least("released", now.blocks_released, last.blocks_released)?;
        compare.at_least("peak", now.peak_live_bytes, last.peak_live_bytes)?;
        compare.at_least("kernel calls", now.kernel_calls, last.kernel_calls)
    }

    /// Each lane has at most one call in flight, which the program counts and mm does not yet, or
    /// the other way round.
    fn blocks_are_those_of_the_program(&self) -> Result<(), Difference> {
        let (before, after) = self.counted;
        let compare = Comparison {
            family: self.now.name,
        };
        let allocated = self.now.blocks_allocated - self.start.blocks_allocated;
        let released = self.now.blocks_released - self.start.blocks_released;
        compare.at_most("allocated", allocated, after.allocated)?;
        compare.at_least("allocated", allocated + self.lanes, before.allocated)?;
        compare.at_most("released", released, after.released + self.lanes)?;
        let most = after.allocated - before.released + self.lanes * IN_FLIGHT;
        compare.at_most("live blocks", self.now.live_blocks, most)?;
        let least = before
            .allocated
            .saturating_sub(after.released + 2 * self.lanes);
        compare.at_least("live blocks", self.now.live_blocks, least)
    }

    fn units_are_those_of_the_program(&self) -> Result<(), Difference> {
        let (before, after) = self.counted;
        let compare = Comparison {
            family: self.now.name,
        };
        let longest = Choice::most_units(usize::try_from(self.now.unit_size).unwrap_or(0)) as u64;
        let most = after.allocated_units - before.released_units + self.lanes * IN_FLIGHT;
        compare.at_most("live units", self.now.live_units, most)?;
        let gone = after.released_units + 2 * self.lanes * longest;
        let least = before.allocated_units.saturating_sub(gone);
        compare.at_least("live units", self.now.live_units, least)
    }
}

/// Requires what must hold in every snapshot, whatever other threads do.
pub(crate) fn agrees_with_itself(now: &FamilySnapshot) -> Result<(), Difference> {
    let compare = Comparison { family: now.name };
    let live = now.blocks_allocated.wrapping_sub(now.blocks_released);
    compare.same(
        "live blocks of allocated and released",
        now.live_blocks,
        live,
    )?;
    compare.at_most("released", now.blocks_released, now.blocks_allocated)?;
    compare.at_most("live blocks", now.live_blocks, now.live_units)?;
    compare.same("live bytes", now.live_bytes, now.live_units * now.unit_size)?;
    compare.at_least("peak", now.peak_live_bytes, now.live_bytes)?;
    compare.at_most("free blocks", now.free_blocks, now.free_units)?;
    compare.at_most(
        "largest free block",
        now.largest_free_block(),
        now.free_units,
    )?;
    // None of them is large enough for an overflow, unless one that should be negative is.
    let units = [now.live_units, now.free_units, now.cached_units];
    let bytes = units.into_iter().try_fold(0_u64, |sum, units| {
        sum.checked_add(units.checked_mul(now.unit_size)?)
    });
    let bytes = bytes.unwrap_or(u64::MAX);
    compare.at_most("bytes live, free and cached", bytes, now.mapped_bytes)?;
    shares(now)
}

/// Requires that the shares of the pages make 1, or 0 without pages.
fn shares(now: &FamilySnapshot) -> Result<(), Difference> {
    let shares = [
        now.utilisation(),
        now.external_fragmentation(),
        now.internal_fragmentation(),
    ];
    let sum: f64 = shares.iter().sum();
    let are_parts = shares.iter().all(|share| (0.0..=1.0).contains(share));
    if are_parts && (sum == 0.0 || (sum - 1.0).abs() < 1e-9) {
        return Ok(());
    }
    Err(Difference {
        family: now.name.to_owned(),
        figure: "shares of the pages".to_owned(),
        expected: "parts of 1".to_owned(),
        found: format!("{shares:?}"),
    })
}
