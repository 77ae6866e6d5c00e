//! What is known of a VM page besides its maps.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use crate::heap::ground::Link;
use crate::heap::pages::extent::{Extent, count};
use crate::sync::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// What is known of a VM page besides its maps.
///
/// If a thread owns the page, `ready`, `next` and `previous` belong to that thread, as its words do. Threads
/// that own words may set `purged` to false. All else changes under the family's lock.
#[derive(Debug)]
pub(in crate::heap) struct PageState {
    /// Taken units of words without an owner, and all units of the other words.
    pub(super) taken: AtomicU32,
    /// Bytes of free memory that the kernel refused to take the last time.
    refused: AtomicU32,
    /// No free run in words without an owner has this many units; 0 if no bound is known.
    pub(super) too_long: AtomicU16,
    pub(super) flags: AtomicU8,
    /// No unit was handed out since the kernel took the page's free memory, or refused it.
    pub(super) purged: AtomicBool,
    /// Rows, live or in a cache. If there are none, no code reads the second map: even a load would make its
    /// memory resident.
    pub(super) rows: AtomicU32,
    /// The record that owns the words of the page, except those that others own or that contain rows.
    pub(super) owner: AtomicU32,
    /// Words that have an owner.
    pub(super) owned_words: AtomicU32,
    /// Free units when the page's free memory was given back.
    pub(super) purged_at: AtomicU32,
    /// A thread has released units here in a word that it does not own. This stays true.
    pub(super) had_remote_releases: AtomicBool,
    pub(in crate::heap) ready: Ready,
    /// Neighbours on the list of pages that a record owns.
    pub(in crate::heap) next: Link<PageState>,
    pub(in crate::heap) previous: Link<PageState>,
}

/// Which words of a page have free units, among the words of one owner. It is on a list of that owner.
#[derive(Debug)]
pub(in crate::heap) struct Ready {
    /// A bit for each group of words, set if one of them may have a free unit. A page has at most 64 groups.
    pub(in crate::heap) groups: AtomicU64,
    pub(in crate::heap) is_listed: AtomicBool,
    pub(in crate::heap) next: Link<Ready>,
    /// The page.
    extent: Link<Extent>,
    number: AtomicU32,
}

// SAFETY: the fields of `Ready` are atomic integers, an atomic boolean and links, and zero is a value of
// each.
unsafe impl bytemuck::Zeroable for Ready {}

// SAFETY: the fields of `PageState` are atomic integers and booleans, links, and a `Ready`, and zero is a
// value of each.
unsafe impl bytemuck::Zeroable for PageState {}

/// Memory may back the page.
pub(super) const IN_USE: u8 = 1;
/// The page's owner owns all of its words.
pub(super) const WHOLE: u8 = 2;
/// A search for a free run failed here or in the extent, so `too_long` of one of them is known, and must rise
/// when units are freed.
pub(super) const SEARCH_FAILED: u8 = 4;

impl PageState {
    /// A state of no page.
    #[cfg(feature = "capi")]
    pub(in crate::heap) fn unused() -> &'static Self {
        static UNUSED: Link<PageState> = Link::none();
        if let Some(unused) = UNUSED.get() {
            return unused;
        }
        let made: &'static Self = Box::leak(Box::new(bytemuck::Zeroable::zeroed()));
        UNUSED.set(Some(made));
        made
    }

    pub(in crate::heap) fn is_in_use(&self) -> bool {
        self.flags.load(Relaxed) & IN_USE != 0
    }

    /// Whether the page has rows, live or in a cache.
    #[inline]
    pub(in crate::heap) fn has_rows(&self) -> bool {
        self.rows.load(Relaxed) != 0
    }

    /// Bytes of free memory that the kernel refused to take the last time. The number stays while the page is
    /// used, since locked memory usually stays locked.
    pub(in crate::heap) fn refused(&self) -> usize {
        self.refused.load(Relaxed) as usize
    }

    pub(in crate::heap) fn set_refused(&self, bytes: usize) {
        self.refused.store(count(bytes), Relaxed);
    }

    pub(super) fn retire(&self) {
        debug_assert!(!self.has_rows(), "a page without a taken unit has no rows");
        self.purged.store(false, Relaxed);
        self.refused.store(0, Relaxed);
        self.too_long.store(0, Relaxed);
        self.flags.store(0, Relaxed);
    }
}

impl Ready {
    pub(in crate::heap) const fn none() -> Self {
        Self {
            groups: AtomicU64::new(0),
            is_listed: AtomicBool::new(false),
            next: Link::none(),
            extent: Link::none(),
            number: AtomicU32::new(0),
        }
    }

    pub(in crate::heap) fn page(&self) -> Option<Page> {
        let number = self.number.load(Relaxed) as usize;
        self.extent.get().map(|extent| Page { extent, number })
    }

    pub(in crate::heap) fn set_page(&self, page: Option<Page>) {
        self.number
            .store(page.map_or(0, |page| count(page.number)), Relaxed);
        self.extent.set(page.map(|page| page.extent));
    }

    /// Whether no word has a free unit.
    #[inline]
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.groups.load(Relaxed) == 0
    }

    #[inline]
    pub(in crate::heap) fn add(&self, group: usize) {
        let groups = self.groups.load(Relaxed);
        self.groups.store(groups | 1 << group, Relaxed);
    }

    #[inline]
    pub(in crate::heap) fn remove(&self, group: usize) {
        let groups = self.groups.load(Relaxed);
        self.groups.store(groups & !(1 << group), Relaxed);
    }
}
