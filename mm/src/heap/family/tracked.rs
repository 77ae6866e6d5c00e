//! Tracking: recording the call sites of allocations in a family.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::pages::{Record, SPACE, tag_at};
use crate::heap::tracking::{
    AllocRequest, Amount, Inherited, Recorded, Scope, Site, Tagged, Whose, from_start, scopes,
};
use crate::os::{ReentrancyGuard, Refused};

impl Heap {
    /// Records one of `every` blocks from now on. With 0, records none and forgets all records.
    pub(crate) fn track(&'static self, every: u32) {
        let mut central = self.central();
        let tracking = &mut central.uncached_for.tracking;
        (tracking.every, tracking.left) = (every, 0);
        if every == 0 {
            central.forget_unwanted();
        }
        self.account_uncached(&mut central);
    }

    /// Begins leak scopes, as many as `scopes`.
    pub(crate) fn begin_scopes(&'static self, scopes: u32) {
        let mut central = self.central();
        central.uncached_for.tracking.scopes += scopes;
        self.account_uncached(&mut central);
    }

    /// Ends a leak scope. The blocks that it leaves belong to `outer` from now on.
    pub(crate) fn end_scope(&'static self, scope: Scope, outer: Scope) {
        let mut central = self.central();
        central.for_each_tagged(|tagged| {
            if tagged.scope == scope {
                tagged.tag.set_scope(outer);
            }
        });
        central.uncached_for.tracking.scopes -= 1;
        central.forget_unwanted();
        self.account_uncached(&mut central);
    }

    /// Looks at all tags, counts those of blocks of `whose`, and calls `f` with each site, which then has its
    /// counts. Sites without a live block are included. `f` runs under the family's lock, so it must not
    /// allocate or call mm.
    pub(crate) fn look_at_tags(&'static self, whose: Whose, f: impl FnMut(&Site)) -> Recorded {
        let _inside = ReentrancyGuard::enter();
        self.central().look_at_tags(whose, f)
    }

    /// Counts the live block at `first` as kept on purpose.
    pub(crate) fn keep(&'static self, first: NonNull<u8>, units: usize) {
        self.account_kept(first, true, |kept| {
            kept.blocks += 1;
            kept.units += units as u64;
        });
    }

    /// Ends what [`keep`](Self::keep) did.
    pub(crate) fn keep_no_more(&'static self, first: NonNull<u8>, units: usize) {
        self.account_kept(first, false, |kept| {
            kept.blocks -= 1;
            kept.units -= units as u64;
        });
    }

    fn account_kept(&'static self, first: NonNull<u8>, is_kept: bool, f: impl FnOnce(&mut Amount)) {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        f(&mut central.uncached_for.tracking.kept);
        if let Some(tag) = tag_at(first) {
            tag.set_kept(is_kept);
        }
    }
}

impl Central {
    /// Records the call site of the live block at `first`. Without memory for it, the block stays unrecorded.
    pub(in crate::heap) fn record(
        &mut self,
        first: NonNull<u8>,
        units: usize,
        request: &AllocRequest,
    ) {
        // Another thread may have ended the tracking meanwhile.
        if !self.uncached_for.tracking.is_on() {
            return;
        }
        // Units without a size have no address of their own.
        let Some(record) = SPACE.record_at(first.addr().get()) else {
            return;
        };
        let recorded = self.try_record(record, first, units, request);
        self.uncached_for.tracking.lacked_room |= recorded.is_err();
    }

    fn try_record(
        &mut self,
        record: &'static Record,
        first: NonNull<u8>,
        units: usize,
        request: &AllocRequest,
    ) -> Result<(), Refused> {
        let tag = record.make_tag_at(first)?;
        let site = self.uncached_for.tracking.sites.of(request)?;
        site.account_recorded(units as u64);
        // `running`, since the scope may have ended after the request was made.
        tag.set(site, request.now, scopes::running(request.scope));
        Ok(())
    }

    /// Clears the tag of the block at `first`, which is about to be released.
    pub(in crate::heap) fn forget(&self, first: NonNull<u8>) {
        if self.was_tracked()
            && let Some(tag) = tag_at(first)
        {
            tag.clear();
        }
    }

    /// Whether there may be tags. If no block was ever recorded, there is no site.
    fn was_tracked(&self) -> bool {
        !self.uncached_for.tracking.sites.is_empty()
    }

    /// Clears the tags that are not needed: all, if the family is no longer tracked; those of blocks outside of
    /// running leak scopes, if only scopes are tracked.
    pub(in crate::heap) fn forget_unwanted(&mut self) {
        let tracking = &self.uncached_for.tracking;
        if tracking.every > 0 {
            return;
        }
        let is_on = tracking.is_on();
        self.for_each_tagged(|tagged| {
            if !is_on || tagged.scope == 0 {
                tagged.tag.clear();
            }
        });
        if !is_on && self.was_tracked() {
            self.records().for_each(Record::discard_tags);
            self.uncached_for.tracking.lacked_room = false;
            // SAFETY: `for_each_tagged` cleared the tags of all live blocks, since `is_on` is false, and by
            // invariant 1 of `Tag` no other tag is set.
            unsafe { self.uncached_for.tracking.sites.forget() };
        }
    }

    /// Notes, in a forked child, what it inherits from its parent.
    pub(in crate::heap) fn account_inherited(&mut self) {
        let live = self.live();
        let tracking = &mut self.uncached_for.tracking;
        tracking.inherited = Inherited {
            live: Amount {
                blocks: live.blocks,
                units: live.units,
            },
            kept: tracking.kept,
        };
    }

    fn look_at_tags(&mut self, whose: Whose, f: impl FnMut(&Site)) -> Recorded {
        let live = self.live();
        let tracking = &self.uncached_for.tracking;
        let mut recorded = Recorded {
            every: tracking.every,
            kept: tracking.kept,
            inherited: tracking.inherited,
            lacked_room: tracking.lacked_room,
            live_blocks: live.blocks,
            live_units: live.units,
            blocks_allocated: live.allocated,
            ..Recorded::default()
        };
        tracking.sites.iter().for_each(Site::begin_look);
        self.for_each_tagged(|tagged| {
            if whose.includes(&tagged) {
                recorded.account(&tagged);
            }
        });
        self.uncached_for.tracking.sites.iter().for_each(f);
        recorded
    }

    fn for_each_tagged(&self, mut f: impl FnMut(Tagged<'_>)) {
        if self.was_tracked() {
            self.records()
                .for_each(|record| record.for_each_tagged(&mut f));
        }
    }
}

impl Heap {
    /// Begins to record, if new families have to. The caller has the lock of the list of families.
    pub(crate) fn begin_tracking(&'static self) {
        let (every, scopes) = from_start::chosen(self.contents());
        // Untyped blocks are sampled instead.
        if every > 0 && !self.is_untyped() {
            self.track(every);
        }
        if scopes > 0 {
            self.begin_scopes(scopes);
        }
    }
}
