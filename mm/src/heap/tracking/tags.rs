//! Tags: the records of live blocks. Beside the maps there is one tag for each place where a block can start. A
//! family that was never tracked has no tags. Tags that were never set take no memory.

use core::ptr;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU64};

use super::request::{MOST_SCOPES, Scope};
use super::sites::Site;

/// Set beside the time of a block that is kept on purpose.
const KEPT: u64 = 1 << 63;

/// The leak scope of a block stands above the time, which has room for 8,000 years.
const SCOPE: u32 = 48;
const TIME: u64 = (1 << SCOPE) - 1;

/// Who allocated a block, and when. The family's lock guards it.
///
/// # Invariants
///
/// 1. While it has a site, a live block starts at its place, which was allocated there.
/// 2. `site` is null, or a site of the family, which exists until no tag leads to it.
#[derive(Debug)]
pub(in crate::heap) struct Tag {
    site: AtomicPtr<Site>,
    /// Milliseconds, the leak scope, and whether the block is kept.
    since: AtomicU64,
}

/// The tags of an extent: for each page as many as its units.
#[derive(Debug)]
pub(in crate::heap) struct Tags(pub(in crate::heap) &'static [Tag]);

// SAFETY: the fields of `Tag` are atomic. Zero is a value of both: null, which invariant 2 of `Tag` allows,
// and a number.
unsafe impl bytemuck::Zeroable for Tag {}

/// A live block and its tag.
pub(in crate::heap) struct Tagged<'a> {
    pub(in crate::heap) site: &'a Site,
    pub(in crate::heap) units: u64,
    pub(in crate::heap) since: u64,
    /// The leak scope that allocated it; 0 for none.
    pub(in crate::heap) scope: Scope,
    pub(in crate::heap) is_kept: bool,
    pub(in crate::heap) address: usize,
    pub(in crate::heap) tag: &'static Tag,
}

impl Tag {
    pub(in crate::heap) const fn none() -> Self {
        Self {
            site: AtomicPtr::new(ptr::null_mut()),
            since: AtomicU64::new(0),
        }
    }

    pub(in crate::heap) fn set(&self, site: &Site, since: u64, scope: Scope) {
        let since = since & TIME | u64::from(scope) << SCOPE;
        self.since.store(since, Relaxed);
        self.site.store(ptr::from_ref(site).cast_mut(), Relaxed);
    }

    /// Moves the block to another leak scope.
    pub(in crate::heap) fn set_scope(&self, scope: Scope) {
        let since = self.since.load(Relaxed) & (TIME | KEPT);
        self.since.store(since | u64::from(scope) << SCOPE, Relaxed);
    }

    fn is_set(&self) -> bool {
        !self.site.load(Relaxed).is_null()
    }

    pub(in crate::heap) fn clear(&self) {
        // Most tags are clear, and a store would make the kernel back them with memory.
        if self.is_set() {
            self.site.store(ptr::null_mut(), Relaxed);
        }
    }

    /// Notes whether the block is kept on purpose, if it has a tag.
    pub(in crate::heap) fn set_kept(&self, kept: bool) {
        if self.is_set() {
            let since = self.since.load(Relaxed) & !KEPT;
            self.since
                .store(if kept { since | KEPT } else { since }, Relaxed);
        }
    }

    /// Calls `f` with the block, if the tag is set. The caller has the family's lock.
    pub(in crate::heap) fn show(
        &'static self,
        block: impl FnOnce() -> (usize, usize),
        f: &mut impl FnMut(Tagged<'_>),
    ) {
        // SAFETY: by invariant 2 the site is there until no tag leads to it; this thread has the family's lock,
        // under which sites are forgotten.
        let Some(site) = (unsafe { self.site.load(Relaxed).as_ref() }) else {
            return;
        };
        let since = self.since.load(Relaxed);
        let (address, units) = block();
        f(Tagged {
            site,
            address,
            units: units as u64,
            since: since & TIME,
            scope: scope_in(since),
            is_kept: since & KEPT != 0,
            tag: self,
        });
    }
}

/// The leak scope in the field `since` of a tag.
fn scope_in(since: u64) -> Scope {
    let scope = since >> SCOPE & u64::from(MOST_SCOPES);
    Scope::try_from(scope).unwrap_or_default()
}
