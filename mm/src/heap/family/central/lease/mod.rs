//! Lending: the words of a family go to the threads that need them, and come back. All of this runs under the
//! family's lock.
//!
//! | module | subject |
//! | --- | --- |
//! | `lend` | words and pages that a thread gets |
//! | `take_back` | words and pages that go back to the family |
//! | `steal` | pages that a thread gets from another thread |

mod lend;
mod steal;
mod take_back;

use core::sync::atomic::Ordering::Relaxed;

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::pages::{Page, released_twice};
use crate::os::Refused;

/// First refills of a thread, which take units but no words, so that a thread that needs few takes few.
const UNIT_STAGES: u32 = 2;

/// Units that such a refill takes.
const FIRST_UNITS: u32 = 16;

/// Bytes of units that a refill without words takes, at most.
const MOST_BYTES: usize = 128 << 10;

/// Families with fewer units in a page lend whole pages from the start.
const FEW_UNITS: usize = 256;

/// Refills that take words: the first takes one, each other twice as many as the one before.
const WORD_STAGES: u32 = 5;

/// Bytes of the largest unit whose words have owners. A page of larger ones would be too much for one thread.
const LARGEST_OWNED: usize = 4 << 10;

impl Central {
    /// Gets units for a thread that has no free unit left in its cache. They come into its words or into the
    /// cache. The caller is the record's thread.
    pub(in crate::heap) fn acquire(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
    ) -> Result<(), Refused> {
        self.drain_inbox(heap);
        let stage = record.next_stage();
        let has_words = heap.lends_words();
        let is_first = stage < UNIT_STAGES && heap.page_capacity() >= FEW_UNITS;
        let answer = if !has_words || is_first {
            self.take_units(heap, record)
        } else if stage < UNIT_STAGES + WORD_STAGES && heap.page_capacity() >= FEW_UNITS {
            self.lease_words(heap, record, 1 << (stage - UNIT_STAGES))
        } else {
            self.lease_pages(heap, record)
        };
        self.account_peak(heap);
        answer
    }

    /// Takes a few units of a word without an owner into the thread's cache.
    pub(super) fn take_units(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
    ) -> Result<(), Refused> {
        let most = (MOST_BYTES / heap.geometry().unit()).clamp(1, FIRST_UNITS as usize);
        let page = self.page_to_fill(heap)?;
        let map = page.map();
        let from = first_word(heap, page);
        let words = (from..map.words()).chain(0..from);
        let word = words.into_iter().find(|word| map.free_in(*word) != 0);
        let word = word.ok_or(Refused)?;
        let free = map.free_in(word);
        let bit = free.trailing_zeros();
        let units = (free >> bit)
            .trailing_ones()
            .min(u32::try_from(most).unwrap_or(1));
        let mask = (u64::MAX >> (64 - units)) << bit;
        let zero = page.take(word, mask);
        self.account.account_leased(units as usize);
        self.account_used(page.extent());
        self.account_page_changed(page);
        let first = page.unit(word * 64 + bit as usize);
        // SAFETY: `page.take` took these units, and nothing uses them before `hand_out`.
        let is_marked = unsafe { record.mark_never_handed_out(first, units as usize) };
        record.hand_out(first, units as usize, zero && !is_marked);
        Ok(())
    }

    /// Frees units that threads released in words without an owner: empties the family's inbox.
    pub(in crate::heap) fn drain_inbox(&mut self, heap: &'static Heap) {
        heap.empty_inbox(|page, word, bits| {
            if !page.free(word, bits) {
                released_twice(page.unit(word * 64));
            }
            let units = bits.count_ones() as usize;
            self.account.account_units_freed(units);
            self.account_freed(page);
        });
    }

    /// Moves an extent to the right list after units of the page were taken.
    pub(super) fn account_page_changed(&mut self, page: Page) {
        self.fullness_lists.account_changed(page.extent());
    }
}

/// The first word of a page to use. It differs between families, so that their first units do not compete for
/// the same sets of the CPU's caches.
fn first_word(heap: &Heap, page: Page) -> usize {
    let is_very_first = page.number == 0 && page.extent().older.get().is_none();
    let is_unused = page.taken() == 0;
    if is_very_first && (is_unused || page.owned_words() > 0 || !page.has_rows()) {
        heap.geometry().colour(heap.number())
    } else {
        0
    }
}

impl Heap {
    /// Whether threads own words of the family.
    pub(in crate::heap) fn lends_words(&self) -> bool {
        self.geometry().unit() <= LARGEST_OWNED
    }
}

impl CacheRecord {
    /// The number of this refill. A thread that needs more refills gets more at each.
    fn next_stage(&self) -> u32 {
        let stage = self.stage().load(Relaxed);
        self.stage()
            .store((stage + 1).min(UNIT_STAGES + WORD_STAGES), Relaxed);
        stage
    }
}
