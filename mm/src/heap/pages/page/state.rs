//! What a family knows of a VM page besides its maps.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use crate::heap::ground::Link;
use crate::heap::pages::extent::{Extent, count};
use crate::sync::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// What is known of one VM page besides its maps.
///
/// Of a page that a thread owns, `ready`, `next` and `previous` belong to that thread, as its words do.
/// Threads that own words say that these are no longer `purged`. All else changes under the family's lock.
#[derive(Debug)]
pub(in crate::heap) struct PageState {
    /// Units of words that nobody owns and that are taken, and all units of the others.
    pub(super) taken: AtomicU32,
    /// Bytes of free memory that the kernel refused to take the last time it was asked.
    refused: AtomicU32,
    /// No run of free units that nobody owns is as long as this; 0 says nothing.
    pub(super) too_long: AtomicU16,
    pub(super) flags: AtomicU8,
    /// No unit was handed out since the page's free memory was given back, or refused.
    pub(super) purged: AtomicBool,
    /// Blocks of many units, live or in a cache. Without any, nobody looks into the second map: even a look
    /// would make the kernel count the map as resident.
    pub(super) rows: AtomicU32,
    /// The record that owns the words of the page, but for those that others own or that have rows.
    pub(super) owner: AtomicU32,
    /// Words that have an owner.
    pub(super) owned_words: AtomicU32,
    /// Free units when the page's free memory was given back.
    pub(super) purged_at: AtomicU32,
    /// Other threads than the owners ever released units.
    pub(super) has_mail: AtomicBool,
    pub(in crate::heap) ready: Ready,
    /// Neighbours on the list of pages that a record owns.
    pub(in crate::heap) next: Link<PageState>,
    pub(in crate::heap) previous: Link<PageState>,
}

/// Which words of a page, among those of one owner, have free units. On the list of its owner.
#[derive(Debug)]
pub(in crate::heap) struct Ready {
    /// A bit for each group of words, of which at least one has a free unit. A page has at most 64 groups.
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

/// The page may be backed by memory.
pub(super) const IN_USE: u8 = 1;
/// The page's owner owns all of its words.
pub(super) const WHOLE: u8 = 2;
/// The longest free run of the page or of its extent is known, and must be kept.
pub(super) const LOOKED: u8 = 4;

impl PageState {
    /// That of no page.
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

    /// Whether a block of many units is in the page, live or in a cache.
    #[inline]
    pub(in crate::heap) fn has_continued(&self) -> bool {
        self.rows.load(Relaxed) != 0
    }

    /// Bytes of free memory that the kernel refused to take the last time it was asked. They stay
    /// noted while the page is used: what is locked most often stays so.
    pub(in crate::heap) fn refused(&self) -> usize {
        self.refused.load(Relaxed) as usize
    }

    pub(in crate::heap) fn set_refused(&self, bytes: usize) {
        self.refused.store(count(bytes), Relaxed);
    }

    pub(super) fn retire(&self) {
        debug_assert!(
            !self.has_continued(),
            "a page without a taken unit has no rows"
        );
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
