//! The call sites of one family's allocations, with their records.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::caller::Origin;
use super::recording::Records;
use super::request::AllocRequest;
use super::tags::Tagged;
use crate::heap::ground::meta;
use crate::os::Refused;

/// The name of all sites for which there is no room, with the reason.
pub(crate) const OTHER: &str = "(other call sites: the 12 MiB for records of call sites are full)";

/// Branches of a site in the tree.
const BRANCHES: usize = 4;

/// All sites of a family. The family's lock guards them.
///
/// They form a tree: each pair of bits of a site's hash chooses a branch. So nothing must grow or move, however
/// many sites there are.
///
/// # Invariants
///
/// 1. Each pointer is null, or leads to a site in `records`, where it stays until `forget`.
#[derive(Debug)]
pub(in crate::heap) struct Sites {
    root: AtomicPtr<Site>,
    newest: AtomicPtr<Site>,
    records: Records,
    /// Stands for all sites without room, if there are any.
    other: Option<&'static Site>,
    /// A site that stood for these before, and is not needed now. It is kept for ever.
    spare_other: Option<&'static Site>,
}

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
    branches: [AtomicPtr<Site>; BRANCHES],
    older: AtomicPtr<Site>,
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

impl Sites {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            root: none(),
            newest: none(),
            records: Records::new(),
            other: None,
            spare_other: None,
        }
    }

    /// Whether there is no site.
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.newest.load(Relaxed).is_null() && self.other.is_none()
    }

    /// All sites, the newest first.
    pub(in crate::heap) fn iter(&self) -> impl Iterator<Item = &Site> {
        // SAFETY: invariant 1, and `forget` borrows the sites mutably.
        let site = |at: &AtomicPtr<Site>| unsafe { at.load(Relaxed).as_ref() };
        core::iter::successors(site(&self.newest), move |newer| site(&newer.older))
            .chain(self.other)
    }

    /// The site of `request`, made now if it is new. If there is no room, the site that stands for all without
    /// room.
    pub(in crate::heap) fn of(&mut self, request: &AllocRequest) -> Result<&Site, Refused> {
        let mut hash = request.hash();
        let mut place = &self.root;
        // SAFETY: invariant 1, and `forget` borrows the sites mutably.
        while let Some(site) = unsafe { place.load(Relaxed).as_ref() } {
            if site.is_of(request) {
                return Ok(site);
            }
            place = &site.branches[hash % BRANCHES];
            hash /= BRANCHES;
        }
        let Ok(new) = Site::make(&mut self.records, request) else {
            return self.other();
        };
        place.store(new.as_ptr(), Relaxed);
        // SAFETY: `make` put the site into `records`, where by invariant 1 it stays until `forget`, which
        // borrows the sites mutably.
        let new = unsafe { new.as_ref() };
        let newer = ptr::from_ref(new).cast_mut();
        new.older.store(self.newest.swap(newer, Relaxed), Relaxed);
        Ok(new)
    }

    fn other(&mut self) -> Result<&'static Site, Refused> {
        let made = || self.spare_other.map_or_else(Site::make_other, Ok);
        let other = self.other.map_or_else(made, Ok)?;
        (self.other, self.spare_other) = (Some(other), None);
        Ok(other)
    }

    /// Forgets all sites, and gives their memory back.
    ///
    /// # Safety
    ///
    /// 1. No tag leads to a site of this family.
    pub(in crate::heap) unsafe fn forget(&mut self) {
        (self.root, self.newest) = (none(), none());
        if let Some(other) = self.other.take() {
            other.account_forgotten();
            self.spare_other = Some(other);
        }
        // SAFETY: by invariant 1 only `root`, `newest` and the sites themselves led there, and by
        // requirement 1 no tag does. The references that `iter` and `of` gave have ended, since the sites
        // are borrowed mutably.
        unsafe { self.records.give_back() };
    }
}

const fn none() -> AtomicPtr<Site> {
    AtomicPtr::new(ptr::null_mut())
}

impl Site {
    fn make(records: &mut Records, request: &AllocRequest) -> Result<NonNull<Self>, Refused> {
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

    fn make_other() -> Result<&'static Self, Refused> {
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

    fn is_of(&self, request: &AllocRequest) -> bool {
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

impl AllocRequest {
    fn hash(&self) -> usize {
        hash(&self.origin, self.thread, &self.frames)
    }
}

/// Hashes all that distinguishes sites, including the thread: one place may have as many threads as there are
/// sites.
fn hash(origin: &Origin, thread: &'static str, frames: &[usize]) -> usize {
    let start = mixed(origin.hash(), thread.as_ptr().addr());
    let hash = frames.iter().fold(start, |hash, frame| mixed(hash, *frame));
    // The low bits choose the branch.
    let hash = hash.wrapping_mul(0x9E37_79B1);
    hash ^ (hash >> (usize::BITS / 2))
}

fn mixed(hash: usize, more: usize) -> usize {
    hash.rotate_left(5)
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(more)
}

#[cfg(test)]
mod tests {
    use core::panic::Location;
    use std::sync::Mutex;

    use super::*;
    use crate::heap::tracking::{Caller, names};
    use crate::os::unwind;

    /// One of the tests takes all the room.
    static ALONE: Mutex<()> = Mutex::new(());

    fn request(thread: &'static str, frames: &[usize]) -> AllocRequest {
        AllocRequest {
            origin: Location::caller().origin(),
            thread,
            scope: 0,
            frames: unwind::Frames::of(frames),
            now: 0,
        }
    }

    fn depth(place: &AtomicPtr<Site>) -> usize {
        // SAFETY: `place` is a pointer of the test's sites, which by invariant 1 of `Sites` is null or leads
        // to a site that stays until `forget`.
        let site = unsafe { place.load(Relaxed).as_ref() };
        let deepest = site.map(|site| site.branches.iter().map(depth).max());
        deepest.map_or(0, |deepest| 1 + deepest.unwrap_or_default())
    }

    #[test]
    fn sites_without_room_are_counted_as_one() {
        const STACKS: u64 = 200_000;
        let _alone = ALONE.lock();
        let (mut sites, mut apart) = (Sites::new(), 0);
        for stack in (0x1000..).step_by(16).zip(0..STACKS) {
            let request = request("", &[stack.0; 20]);
            let site = sites.of(&request).expect("memory");
            site.account_recorded(2);
            apart += u64::from(site.frames().len() == 20);
        }
        // Other tests may use some of the room meanwhile.
        let bytes = apart * (size_of::<Site>() + 20 * size_of::<usize>()) as u64;
        assert!((8 << 20..12 << 20).contains(&bytes), "{bytes} of {apart}");
        let (count, others) = (sites.iter().count() as u64, sites.other.expect("full"));
        assert_eq!(count, apart + 1);
        let figures = others.figures();
        let recorded = (figures.blocks, figures.units);
        assert_eq!(recorded, (STACKS - apart, 2 * (STACKS - apart)));
        // A known site is still found.
        let first = sites.of(&request("", &[0x1000; 20])).expect("memory");
        assert_eq!((first.figures().blocks, first.frames()[0]), (1, 0x1000));
        // SAFETY: the test set no tag, so that none leads to a site of `sites`.
        unsafe { sites.forget() };
        assert_eq!((others.figures().blocks, sites.is_empty()), (0, true));
        let again = sites.of(&request("", &[0x1000; 20])).expect("memory");
        assert_eq!(again.frames().len(), 20);
        // SAFETY: the test set no tag, so that none leads to a site of `sites`.
        unsafe { sites.forget() };
    }

    #[test]
    fn threads_at_one_place_are_spread() {
        let _alone = ALONE.lock();
        let mut sites = Sites::new();
        for number in 0..1_000 {
            let request = request(names::kept_thread(&format!("worker {number}")), &[]);
            let new = ptr::from_ref(sites.of(&request).expect("memory"));
            assert!(ptr::eq(new, sites.of(&request).expect("memory")));
        }
        assert_eq!(sites.iter().count(), 1_000);
        let deepest = depth(&sites.root);
        assert!(deepest < 16, "{deepest}");
        // SAFETY: the test set no tag, so that none leads to a site of `sites`.
        unsafe { sites.forget() };
        assert!(sites.is_empty());
    }
}
