//! Limits of a family: its own, one that it shares with a group, and a soft one that only reports.
//!
//! A family with any of them is uncached: every call takes its lock. Under the lock the count of live units is
//! exact, except for calls that began before the first limit was set.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::Shortage;
use crate::os::ReentrancyGuard;

/// No limit.
pub(crate) const NONE: u64 = u64::MAX;

/// The limits of a family besides its own. The family's lock guards them.
#[derive(Debug)]
pub(in crate::heap) struct Quota {
    /// Live units above which the soft limit is crossed.
    soft: u64,
    /// The counter of crossings.
    crossings: Option<&'static Crossings>,
    is_above_soft: bool,
    group: Option<&'static Total>,
    /// Bytes of this family that are part of the group's total.
    share: u64,
}

/// Crossings of a soft limit that were not reported yet.
///
/// Each soft limit has its own counter, so that a new limit never reports a crossing of an earlier one.
#[derive(Debug)]
pub(crate) struct Crossings(AtomicU64);

impl Crossings {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether there is an unreported crossing.
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    /// Consumes one unreported crossing; false if there is none.
    pub(crate) fn take(&self) -> bool {
        let one_less = |crossings: u64| crossings.checked_sub(1);
        let taken = self.0.fetch_update(Relaxed, Relaxed, one_less);
        taken.is_ok()
    }

    fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// The bytes that the families of a group hold together, and may hold.
#[derive(Debug)]
pub(crate) struct Total {
    live: AtomicU64,
    limit: AtomicU64,
}

impl Total {
    pub(crate) const fn new(limit: u64) -> Self {
        Self {
            live: AtomicU64::new(0),
            limit: AtomicU64::new(limit),
        }
    }

    pub(crate) fn live(&self) -> u64 {
        self.live.load(Relaxed)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    pub(crate) fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Relaxed);
    }

    /// Replaces a family's share by a larger one, if the limit allows it.
    fn admit(&self, share: u64, wanted: u64) -> bool {
        let mut live = self.live();
        loop {
            let Some(new) = (live - share).checked_add(wanted) else {
                return false;
            };
            if new > self.limit() && wanted > share {
                return false;
            }
            match self.live.compare_exchange_weak(live, new, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(others) => live = others,
            }
        }
    }

    /// Replaces a family's share by the bytes that it holds.
    fn replace_share(&self, share: u64, holds: u64) {
        // Each share is part of the sum, so neither step can wrap.
        self.live.fetch_add(holds.saturating_sub(share), Relaxed);
        self.live.fetch_sub(share.saturating_sub(holds), Relaxed);
    }
}

impl Quota {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            soft: NONE,
            crossings: None,
            is_above_soft: false,
            group: None,
            share: 0,
        }
    }

    fn set_group(&mut self, group: Option<&'static Total>) {
        // Removing the share and adding it again would let other families take its bytes in between.
        if self.is_in(group) {
            return;
        }
        if let Some(before) = self.group.take() {
            before.replace_share(self.share, 0);
        }
        (self.group, self.share) = (group, 0);
    }

    fn is_in(&self, group: Option<&'static Total>) -> bool {
        match (self.group, group) {
            (Some(mine), Some(group)) => core::ptr::eq(mine, group),
            _ => false,
        }
    }

    pub(in crate::heap) fn is_on(&self) -> bool {
        self.soft != NONE || self.group.is_some()
    }
}

impl Heap {
    /// Units that may be live.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    /// Sets how many units may be live. This binds every call that begins after this one returns.
    pub(crate) fn set_limit(&'static self, units: u64) {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        self.limit.store(units, Relaxed);
        self.account_uncached(&mut central);
    }

    /// Sets the soft limit: an allocation that raises the live units above it counts in `crossings`. `None`
    /// removes the limit. Calls `publish` before any call can cross the new limit.
    pub(crate) fn set_soft_limit(
        &'static self,
        limit: Option<(u64, &'static Crossings)>,
        publish: impl FnOnce(),
    ) {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        let live = central.live().units;
        let quota = &mut central.uncached_for.quota;
        (quota.soft, quota.crossings) =
            limit.map_or((NONE, None), |(units, crossings)| (units, Some(crossings)));
        // Only an allocation crosses a limit; setting one does not.
        quota.is_above_soft = live > quota.soft;
        // Under the lock, so that both parts come from the same call if two calls run at once.
        publish();
        self.account_uncached(&mut central);
    }

    /// Adds the family to a group, with the bytes that it holds.
    pub(crate) fn join_group(&'static self, group: &'static Total) {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        central.uncached_for.quota.set_group(Some(group));
        // First, since from here on each new call counts itself.
        self.account_uncached(&mut central);
        central.account_quota(self);
    }

    /// Removes the family from the group, if it is part of it.
    pub(crate) fn leave_group(&'static self, group: &'static Total) {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        let quota = &mut central.uncached_for.quota;
        if quota.is_in(Some(group)) {
            quota.set_group(None);
            self.account_uncached(&mut central);
        }
    }
}

impl Central {
    /// Admits `units` more live units, or returns what forbids them.
    pub(in crate::heap) fn admit(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<(), Shortage> {
        let limit = heap.limit();
        let group = self.uncached_for.quota.group;
        if limit == NONE && group.is_none() {
            return Ok(());
        }
        let wanted = self.live().units.checked_add(units as u64);
        let wanted = wanted.ok_or(Shortage::Overflow)?;
        let unit = heap.geometry().unit() as u64;
        if wanted > limit {
            let limit_bytes = limit.saturating_mul(unit);
            return Err(Shortage::OverLimit { limit_bytes });
        }
        let Some(group) = group else {
            return Ok(());
        };
        let bytes = wanted.checked_mul(unit).ok_or(Shortage::Overflow)?;
        let share = &mut self.uncached_for.quota.share;
        if !group.admit(*share, bytes) {
            let limit_bytes = group.limit();
            return Err(Shortage::OverLimit { limit_bytes });
        }
        *share = bytes;
        Ok(())
    }

    /// Reports to the group what the family holds now, and counts a crossing of the soft limit.
    pub(in crate::heap) fn account_quota(&mut self, heap: &'static Heap) {
        if !self.uncached_for.quota.is_on() {
            return;
        }
        let live = self.live().units;
        let quota = &mut self.uncached_for.quota;
        if let Some(group) = quota.group {
            let holds = live * heap.geometry().unit() as u64;
            group.replace_share(quota.share, holds);
            quota.share = holds;
        }
        let was_above = core::mem::replace(&mut quota.is_above_soft, live > quota.soft);
        if quota.is_above_soft && !was_above {
            quota.crossings.into_iter().for_each(Crossings::add);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;
    use core::panic::Location;

    use super::*;
    use crate::heap::ground::Row;

    #[test]
    fn unreported_crossings_add_up() {
        static HEAP: Heap = Heap::new(Layout::new::<u64>());
        static CROSSINGS: Crossings = Crossings::new();
        HEAP.set_soft_limit(Some((0, &CROSSINGS)), || ());
        // Other threads cross the limit while the first one is about to report.
        for _ in 0..2 {
            let block = HEAP.alloc_admitted(1, &Location::caller());
            let first = block.expect("memory").first;
            // SAFETY: `alloc_admitted` made the block, which the test does not use.
            unsafe { HEAP.release_past_caches(Row { first, units: 1 }) };
        }
        let told = [(); 3].map(|()| CROSSINGS.take());
        assert_eq!(told, [true, true, false]);
    }
}
