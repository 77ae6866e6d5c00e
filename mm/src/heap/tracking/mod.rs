//! Whether a family records who allocates, and how.

pub(in crate::heap) mod asker;
mod caller;
pub(crate) mod from_start;
pub(in crate::heap) mod names;
pub(in crate::heap) mod recording;
pub(crate) mod scopes;
mod sites;
mod tags;

pub(in crate::heap) use asker::Asker;
pub(crate) use asker::{MOST_SCOPES, Scope, account_scope, enter_scope, scope};
pub(crate) use caller::{Caller, Origin};
#[cfg(feature = "capi")]
pub(crate) use names::kept_file;
#[cfg(all(test, loom))]
pub(in crate::heap) use recording::POOL;
pub(crate) use recording::trim_recorded;
pub(crate) use scopes::ScopeNumber;
pub(crate) use sites::{OTHER, Site, SiteFigures};
pub(in crate::heap) use tags::{Tag, Tags};

use core::ptr::NonNull;

use crate::heap::Heap;
use crate::heap::central::Central;
use crate::heap::pages::{Record, SPACE};
use crate::os::{Inside, Refused, clock};
use sites::Sites;
use tags::{Tagged, tag_at};

/// What a family records. Guarded by its lock.
#[derive(Debug)]
pub(in crate::heap) struct Tracking {
    /// Of so many blocks one is recorded; 0 while none is.
    every: u32,
    /// Blocks until the next that is recorded.
    left: u32,
    /// Parts of tests that run now: what their threads allocate is recorded in any case.
    pub(in crate::heap) scopes: u32,
    kept: Amount,
    inherited: Inherited,
    /// A block was not recorded, for there was no room for that.
    lacked_room: bool,
    pub(in crate::heap) sites: Sites,
}

/// A number of blocks, and of their units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    pub(crate) blocks: u64,
    pub(crate) units: u64,
}

/// What a forked child had of its parent when it began; in other processes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inherited {
    pub(crate) live: Amount,
    /// Of these.
    pub(crate) kept: Amount,
}

/// Which live blocks a look at the tags counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// All.
    Anybody,
    /// Those that a part of a test allocated.
    Scope(Scope),
    /// Those that this process allocated, and not the one that forked it.
    Process,
}

impl Whose {
    fn includes(self, tagged: &Tagged) -> bool {
        match self {
            Self::Anybody => true,
            Self::Scope(scope) => scope == tagged.scope,
            Self::Process => !clock::is_inherited(tagged.since),
        }
    }
}

/// What is recorded of a family, as of one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recorded {
    /// Of so many blocks one is recorded; 0 while none is.
    pub(crate) every: u32,
    /// Recorded blocks that are live, without those kept on purpose, and their units.
    pub(crate) blocks: u64,
    pub(crate) units: u64,
    pub(crate) kept: Amount,
    pub(crate) inherited: Inherited,
    /// Whether a block was not recorded, for there was no room for that.
    pub(crate) lacked_room: bool,
    /// All live blocks, and their units.
    pub(crate) live_blocks: u64,
    pub(crate) live_units: u64,
    /// Blocks handed out since the start.
    pub(crate) blocks_allocated: u64,
}

impl Tracking {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            every: 0,
            left: 0,
            scopes: 0,
            kept: Amount {
                blocks: 0,
                units: 0,
            },
            inherited: Inherited {
                live: Amount {
                    blocks: 0,
                    units: 0,
                },
                kept: Amount {
                    blocks: 0,
                    units: 0,
                },
            },
            lacked_room: false,
            sites: Sites::new(),
        }
    }

    pub(in crate::heap) fn is_on(&self) -> bool {
        self.every > 0 || self.scopes > 0
    }

    /// Whether a new block is to be recorded, of a thread in that part of a test.
    pub(in crate::heap) fn wants(&mut self, scope: Scope) -> bool {
        if scope != 0 && self.scopes > 0 {
            return true;
        }
        if self.every == 0 {
            return false;
        }
        let wanted = self.left == 0;
        self.left = if wanted { self.every } else { self.left } - 1;
        wanted
    }
}

impl Heap {
    /// Records one of `every` blocks from now on; with 0, none, and what was recorded is forgotten.
    pub(crate) fn track(&'static self, every: u32) {
        let mut central = self.central();
        let tracking = &mut central.supervision.tracking;
        (tracking.every, tracking.left) = (every, 0);
        if every == 0 {
            central.forget_unwanted();
        }
        self.account_supervision(&mut central);
    }

    /// Begins parts of tests, as many as said.
    pub(crate) fn begin_scopes(&'static self, scopes: u32) {
        let mut central = self.central();
        central.supervision.tracking.scopes += scopes;
        self.account_supervision(&mut central);
    }

    /// Ends a part of a test. What it leaves belongs to `outer` from now on.
    pub(crate) fn end_scope(&'static self, scope: Scope, outer: Scope) {
        let mut central = self.central();
        central.for_each_tagged(|tagged| {
            if tagged.scope == scope {
                tagged.tag.set_scope(outer);
            }
        });
        central.supervision.tracking.scopes -= 1;
        central.forget_unwanted();
        self.account_supervision(&mut central);
    }

    /// Looks at all tags, counts those of blocks of `whose`, and shows each site to `f`, with what it
    /// found. Those are included of which nothing is live. `f` is called under the family's lock, and
    /// neither allocates nor calls mm.
    pub(crate) fn look_at_tags(&'static self, whose: Whose, f: impl FnMut(&Site)) -> Recorded {
        let _inside = Inside::enter();
        self.central().look_at_tags(whose, f)
    }

    /// Counts the live block at `first` as kept on purpose.
    pub(crate) fn keep(&'static self, first: NonNull<u8>, units: usize) {
        self.account_kept(first, true, |kept| {
            kept.blocks += 1;
            kept.units += units as u64;
        });
    }

    /// Counts it no more.
    pub(crate) fn keep_no_more(&'static self, first: NonNull<u8>, units: usize) {
        self.account_kept(first, false, |kept| {
            kept.blocks -= 1;
            kept.units -= units as u64;
        });
    }

    fn account_kept(&'static self, first: NonNull<u8>, is_kept: bool, f: impl FnOnce(&mut Amount)) {
        let _inside = Inside::enter();
        let mut central = self.central();
        f(&mut central.supervision.tracking.kept);
        if let Some(tag) = tag_at(first) {
            tag.set_kept(is_kept);
        }
    }
}

impl Central {
    /// Records who allocated the live block at `first`. Without memory for that it stays unrecorded.
    pub(in crate::heap) fn record(&mut self, first: NonNull<u8>, units: usize, asker: &Asker) {
        // Others may have switched it off meanwhile.
        if !self.supervision.tracking.is_on() {
            return;
        }
        // Units without a size have no address of their own.
        let Some(record) = SPACE.record_at(first.addr().get()) else {
            return;
        };
        let recorded = self.try_record(record, first, units, asker);
        self.supervision.tracking.lacked_room |= recorded.is_err();
    }

    fn try_record(
        &mut self,
        record: &'static Record,
        first: NonNull<u8>,
        units: usize,
        asker: &Asker,
    ) -> Result<(), Refused> {
        let tag = record.make_tag_at(first)?;
        let site = self.supervision.tracking.sites.of(asker)?;
        site.account_recorded(units as u64);
        // Which may have ended since.
        tag.set(site, asker.now, scopes::running(asker.scope));
        Ok(())
    }

    /// Forgets who allocated the block at `first`, which is about to be released.
    pub(in crate::heap) fn forget(&self, first: NonNull<u8>) {
        if self.was_tracked()
            && let Some(tag) = tag_at(first)
        {
            tag.clear();
        }
    }

    /// Whether there may be tags: a family of which nothing is recorded has no site.
    fn was_tracked(&self) -> bool {
        !self.supervision.tracking.sites.is_empty()
    }

    /// Forgets what nobody wants to know: all, if the family is not tracked any more; what was not
    /// allocated by a part of a test that runs, if only such are tracked.
    pub(in crate::heap) fn forget_unwanted(&mut self) {
        let tracking = &self.supervision.tracking;
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
            self.supervision.tracking.lacked_room = false;
            // SAFETY: a tag that is set is that of a live block, by its invariant 1, and those of all
            // live blocks were cleared above.
            unsafe { self.supervision.tracking.sites.forget() };
        }
    }

    /// Notes, in a forked child, what it has of its parent.
    pub(in crate::heap) fn account_inherited(&mut self) {
        let live = self.live();
        let tracking = &mut self.supervision.tracking;
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
        let tracking = &self.supervision.tracking;
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
        self.supervision.tracking.sites.iter().for_each(f);
        recorded
    }

    fn for_each_tagged(&self, mut f: impl FnMut(Tagged<'_>)) {
        if self.was_tracked() {
            self.records()
                .for_each(|record| record.for_each_tagged(&mut f));
        }
    }
}

impl Recorded {
    fn account(&mut self, tagged: &Tagged<'_>) {
        if !tagged.is_kept {
            self.blocks += 1;
            self.units += tagged.units;
            tagged.site.account_live(tagged);
        }
    }
}
