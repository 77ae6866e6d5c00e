//! One call site, and what is recorded of it.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::{BRANCHES, OTHER, none};
use crate::heap::ground::meta;
use crate::heap::tracking::caller::Origin;
use crate::heap::tracking::recording::Records;
use crate::heap::tracking::request::AllocRequest;
use crate::heap::tracking::tags::Tagged;
use crate::os::Refused;

/// A place in the program that allocated, in one thread.
///
/// # Invariants
///
/// 1. `frames` leads to addresses that were written before the site was made, are never written again, and stay
///    as long as the site.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) origin: Origin,
    pub(crate) thread: &'static str,
    /// In the memory after the site, for as long as the site exists.
    frames: NonNull<[usize]>,
    blocks: AtomicU64,
    units: AtomicU64,
    /// The live blocks that the last look at the tags found.
    live_blocks: AtomicU64,
    live_units: AtomicU64,
    oldest: AtomicU64,
    oldest_address: AtomicUsize,
    pub(super) branches: [AtomicPtr<Site>; BRANCHES],
    pub(super) older: AtomicPtr<Site>,
}

// SAFETY: by invariant 1 of `Site` nothing writes the frames again, and they stay as long as the site, on
// whatever thread.
unsafe impl Send for Site {}
// SAFETY: by invariant 1 of `Site` nothing writes the frames again, so that threads may share them. The
// other fields are `Sync`.
unsafe impl Sync for Site {}

/// The figures of one site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteFigures {
    /// Recorded since tracking began.
    pub(crate) blocks: u64,
    pub(crate) units: u64,
    /// Those that were live at the last look.
    pub(crate) live_blocks: u64,
    pub(crate) live_units: u64,
    /// When the oldest live block was allocated, in the unit of `clock::milliseconds`.
    pub(crate) oldest: u64,
    pub(crate) oldest_address: usize,
}

impl Site {
    pub(super) fn make(
        records: &mut Records,
        request: &AllocRequest,
    ) -> Result<NonNull<Self>, Refused> {
        let count = request.frames.len();
        records.place(count, |frames: NonNull<usize>| {
            let from = NonNull::from(&*request.frames).cast();
            // SAFETY: `place` has made room for `count` values behind the site, aligned for them, which
            // nothing else uses.
            unsafe { frames.copy_from_nonoverlapping(from, count) };
            let frames = NonNull::slice_from_raw_parts(frames, count);
            Self::new(request.origin, request.thread, frames)
        })
    }

    pub(super) fn make_other() -> Result<&'static Self, Refused> {
        let origin = Origin {
            file: OTHER,
            line: 0,
            column: 0,
        };
        meta::RECORDS.place(Self::new(origin, "", NonNull::from(&[])))
    }

    const fn new(origin: Origin, thread: &'static str, frames: NonNull<[usize]>) -> Self {
        Self {
            origin,
            thread,
            frames,
            blocks: AtomicU64::new(0),
            units: AtomicU64::new(0),
            live_blocks: AtomicU64::new(0),
            live_units: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            oldest_address: AtomicUsize::new(0),
            branches: [const { none() }; BRANCHES],
            older: none(),
        }
    }

    /// Return addresses, the innermost first.
    pub(crate) fn frames(&self) -> &[usize] {
        // SAFETY: by invariant 1 the frames were written when the site was made, are not written again, and
        // stay as long as the site.
        unsafe { self.frames.as_ref() }
    }

    pub(super) fn is_of(&self, request: &AllocRequest) -> bool {
        self.origin.is(&request.origin)
            // Each name is kept once, so equal names have one address.
            && ptr::eq(self.thread, request.thread)
            && *self.frames() == *request.frames
    }

    /// Counts a block that was recorded.
    pub(in crate::heap) fn account_recorded(&self, units: u64) {
        add(&self.blocks, 1);
        add(&self.units, units);
    }

    /// Sets the recorded counts to 0.
    pub(in crate::heap) fn account_forgotten(&self) {
        self.blocks.store(0, Relaxed);
        self.units.store(0, Relaxed);
    }

    /// Begins a look at the tags.
    pub(in crate::heap) fn begin_look(&self) {
        self.live_blocks.store(0, Relaxed);
        self.live_units.store(0, Relaxed);
        self.oldest.store(u64::MAX, Relaxed);
    }

    /// Counts a live block that the look found.
    pub(in crate::heap) fn account_live(&self, found: &Tagged<'_>) {
        add(&self.live_blocks, 1);
        add(&self.live_units, found.units);
        if found.since < self.oldest.load(Relaxed) {
            self.oldest.store(found.since, Relaxed);
            self.oldest_address.store(found.address, Relaxed);
        }
    }

    /// The recorded counts, and those of the last look.
    pub(crate) fn figures(&self) -> SiteFigures {
        SiteFigures {
            blocks: self.blocks.load(Relaxed),
            units: self.units.load(Relaxed),
            live_blocks: self.live_blocks.load(Relaxed),
            live_units: self.live_units.load(Relaxed),
            oldest: self.oldest.load(Relaxed),
            oldest_address: self.oldest_address.load(Relaxed),
        }
    }
}

/// Adds to a count that no other thread changes meanwhile.
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Relaxed) + more, Relaxed);
}
