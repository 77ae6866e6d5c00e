//! A VM page of an extent: its words, its maps, and the addresses of its units.
//!
//! | module | subject |
//! | --- | --- |
//! | `state` | what is known of a page besides its maps |
//! | `units` | taking and freeing units of words without an owner |
//! | `leases` | words that threads own |
//! | `longest_run` | an upper bound for the length of free runs, so that a search can skip the page |
//! | `free_count` | the number of free units, for readers of many pages |
//! | `memory` | which memory of the page is zero, or can go back to the kernel |

mod free_count;
mod leases;
mod longest_run;
mod memory;
mod state;
mod units;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::extent::Extent;
use super::slot_map::{SlotMap, View};
use super::word::{Remote, Word};
pub(in crate::heap) use state::{PageState, Ready};

/// A unit, by its VM page and its index there.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Spot {
    pub(in crate::heap) page: Page,
    pub(in crate::heap) index: usize,
}

/// A VM page of an extent.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Page {
    pub(in crate::heap) extent: &'static Extent,
    pub(in crate::heap) number: usize,
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.extent, other.extent) && self.number == other.number
    }
}

impl Page {
    pub(in crate::heap) fn extent(self) -> &'static Extent {
        self.extent
    }

    pub(in crate::heap) fn state(self) -> &'static PageState {
        &self.extent.states[self.number]
    }

    /// The page whose state this is.
    pub(in crate::heap) fn of(state: &'static PageState) -> Option<Self> {
        state.ready.page()
    }

    /// Units that fit the page.
    pub(in crate::heap) fn capacity(self) -> usize {
        self.extent.page_capacity as usize
    }

    /// Units that are taken, or that lie in a word with an owner.
    pub(in crate::heap) fn taken(self) -> usize {
        self.state().taken.load(Relaxed) as usize
    }

    pub(in crate::heap) fn is_full(self) -> bool {
        self.free_units() == 0
    }

    /// Free units in words without an owner.
    pub(in crate::heap) fn free_units(self) -> usize {
        self.capacity() - self.taken()
    }

    pub(in crate::heap) fn is_in_use(self) -> bool {
        self.state().is_in_use()
    }

    #[inline]
    pub(in crate::heap) fn words(self) -> &'static [Word] {
        let words = self.extent.geometry().words();
        &self.extent.words[self.number * words..(self.number + 1) * words]
    }

    /// Units of a word that other threads released and the word's owner has not freed yet, as a mask.
    pub(in crate::heap) fn sent_units(self, word: usize) -> u64 {
        if self.state().had_remote_releases.load(Relaxed) {
            self.remote(word).bits()
        } else {
            0
        }
    }

    /// Notes that a thread released units of the page in a word that it does not own.
    pub(in crate::heap) fn account_remote_release(self) {
        // Only the first call stores, so that the threads can share the line of the CPU's cache.
        if !self.state().had_remote_releases.load(Relaxed) {
            self.state().had_remote_releases.store(true, Relaxed);
        }
    }

    #[inline]
    pub(in crate::heap) fn remote(self, word: usize) -> &'static Remote {
        &self.extent.remotes[self.number * self.extent.geometry().words() + word]
    }

    /// The map as the family sees it: all units of words with an owner count as taken.
    pub(in crate::heap) fn map(self) -> SlotMap<'static> {
        SlotMap {
            view: View::Unowned,
            ..self.whole_map()
        }
    }

    /// The map as it would be after the family reclaimed all words: units that other threads released are free.
    pub(in crate::heap) fn map_if_reclaimed(self) -> SlotMap<'static> {
        let words = self.extent.geometry().words();
        let remotes = if self.state().had_remote_releases.load(Relaxed) {
            &self.extent.remotes[self.number * words..(self.number + 1) * words]
        } else {
            // No remote has a bit. Loading them would only make their memory resident.
            &[]
        };
        SlotMap {
            view: View::Reclaimed { remotes },
            ..self.whole_map()
        }
    }

    /// The map as it is: a unit counts as taken only if its own bit is set, also in words with an owner.
    pub(in crate::heap) fn whole_map(self) -> SlotMap<'static> {
        let words = self.extent.geometry().words();
        let range = self.number * words..(self.number + 1) * words;
        SlotMap {
            words: &self.extent.words[range.clone()],
            continues: if self.has_rows() {
                &self.extent.continues[range]
            } else {
                &[]
            },
            capacity: self.capacity(),
            view: View::All,
        }
    }

    /// Bytes from the extent's start to unit `index`.
    pub(in crate::heap) fn offset_of(self, index: usize) -> usize {
        let geometry = self.extent.geometry();
        self.number * geometry.page_bytes() + index * geometry.unit()
    }

    /// Pointer to unit `index`.
    pub(in crate::heap) fn unit(self, index: usize) -> NonNull<u8> {
        self.extent.place.at(self.offset_of(index))
    }

    /// Address of the page's first byte.
    pub(in crate::heap) fn address(self) -> usize {
        self.unit(0).addr().get()
    }

    /// Whether any unit of `mask` in word `word` is part of a row.
    pub(in crate::heap) fn is_in_rows(self, word: usize, mask: u64) -> bool {
        self.map().in_larger_blocks(word) & mask != 0
    }

    pub(in crate::heap) fn has_rows(self) -> bool {
        self.state().has_rows()
    }

    /// The number of rows, live or in a cache.
    pub(in crate::heap) fn rows(self) -> usize {
        self.state().rows.load(Relaxed) as usize
    }
}
