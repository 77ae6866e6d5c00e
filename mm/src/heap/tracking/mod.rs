//! Tracking: records of who allocated the live blocks of a family.

mod caller;
mod counted;
pub(crate) mod from_start;
pub(in crate::heap) mod names;
pub(in crate::heap) mod recording;
pub(in crate::heap) mod request;
pub(crate) mod scopes;
mod sites;
mod tags;

pub(crate) use caller::{Caller, Origin};
pub(crate) use counted::Counted;
#[cfg(feature = "capi")]
pub(crate) use names::kept_file;
#[cfg(all(test, loom))]
pub(in crate::heap) use recording::POOL;
pub(crate) use recording::trim_recorded;
pub(in crate::heap) use request::AllocRequest;
pub(crate) use request::{MOST_SCOPES, Scope, account_scope, enter_scope, scope};
pub(crate) use scopes::ScopeNumber;
pub(crate) use sites::{OTHER, Site, SiteFigures};
pub(in crate::heap) use tags::{Tag, Tags};

use crate::os::clock;
use sites::Sites;
pub(in crate::heap) use tags::Tagged;

/// What a family records. The family's lock guards it.
#[derive(Debug)]
pub(in crate::heap) struct Tracking {
    /// One of this many blocks is recorded; 0 if none is.
    pub(in crate::heap) every: u32,
    /// Blocks until the next one that is recorded.
    pub(in crate::heap) left: u32,
    /// Leak scopes that are running. The allocations of their threads are always recorded.
    pub(in crate::heap) scopes: u32,
    pub(in crate::heap) kept: Amount,
    pub(in crate::heap) inherited: Inherited,
    /// A block was not recorded because there was no room.
    pub(in crate::heap) lacked_room: bool,
    pub(in crate::heap) sites: Sites,
}

/// A number of blocks, and of their units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    pub(crate) blocks: u64,
    pub(crate) units: u64,
}

/// What a forked child inherited from its parent; zero in other processes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inherited {
    pub(crate) live: Amount,
    /// Those of `live` that are kept on purpose.
    pub(crate) kept: Amount,
}

/// Which live blocks a look at the tags counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// All.
    Anybody,
    /// Those that a leak scope allocated.
    Scope(Scope),
    /// Those that this process allocated, not the process that forked it.
    Process,
}

impl Whose {
    pub(in crate::heap) fn includes(self, tagged: &Tagged) -> bool {
        match self {
            Self::Anybody => true,
            Self::Scope(scope) => scope == tagged.scope,
            Self::Process => !clock::is_inherited(tagged.since),
        }
    }
}

/// The records of a family at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recorded {
    /// One of this many blocks is recorded; 0 if none is.
    pub(crate) every: u32,
    /// Recorded blocks that are live and not kept on purpose, and their units.
    pub(crate) blocks: u64,
    pub(crate) units: u64,
    pub(crate) kept: Amount,
    pub(crate) inherited: Inherited,
    /// Whether a block was not recorded because there was no room.
    pub(crate) lacked_room: bool,
    /// All live blocks, and their units.
    pub(crate) live_blocks: u64,
    pub(crate) live_units: u64,
    /// Blocks that were handed out since the start.
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

    /// Whether to record a new block of a thread in the leak scope `scope`.
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

impl Recorded {
    pub(in crate::heap) fn account(&mut self, tagged: &Tagged<'_>) {
        if !tagged.is_kept {
            self.blocks += 1;
            self.units += tagged.units;
            tagged.site.account_live(tagged);
        }
    }
}
