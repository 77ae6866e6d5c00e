//! The call sites of one family's allocations, with their records.
mod site;
#[cfg(test)]
mod tests;

use core::ptr;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::Relaxed;

use super::caller::Origin;
use super::recording::Records;
use super::request::AllocRequest;
use crate::os::Refused;
pub(crate) use site::{Site, SiteFigures};

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
