//! Pages that a thread gets from another thread that does not need them.

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier};

/// Pages that other threads could spare, from which on a thread takes some of them.
pub(super) const STEAL_FROM: usize = 16;

/// Pages of another thread that are looked at, and that are taken at once.
const STEAL_LOOKS: usize = 64;
const STEAL_MOST: usize = 16;

impl Central {
    /// Takes pages of another thread that has many free units, if all others have enough to spare.
    pub(super) fn steal(&mut self, heap: &'static Heap, record: &'static CacheRecord) -> bool {
        let pages = self.mapped / heap.geometry().page_bytes();
        if pages < self.next_steal {
            return false;
        }
        let others = self
            .caches
            .iter()
            .filter(|it| it.number() != record.number());
        let (mut best, mut most, mut all) = (None, 0, 0);
        for other in others {
            let retained = other.excess_pages();
            all += retained;
            if retained > most {
                (best, most) = (Some(other), retained);
            }
        }
        let mut got = 0;
        // Pages with holes are slower than whole ones: not for less than that.
        if let Some(victim) = best.filter(|_| all >= STEAL_FROM.max(pages / 32)) {
            victim.want();
            if barrier() && victim.is_at_rest() {
                got = self.steal_from(victim, record, most);
            }
            victim.end_wanted();
        }
        if got == 0 {
            self.next_steal = pages + pages / 16 + 1;
        }
        got > 0
    }

    fn steal_from(
        &mut self,
        victim: &'static CacheRecord,
        record: &'static CacheRecord,
        retained: usize,
    ) -> usize {
        victim.collect();
        let words = victim.heap().geometry().words();
        let most = (record.owned_words() / words / 8)
            .clamp(1, STEAL_MOST)
            .min(retained);
        let ready = victim.ready_pages_list().take(STEAL_LOOKS);
        let owned = ready.filter(|page| page.is_whole() && page.owner() == victim.number());
        let rich = owned.filter(|page| page.all_free() >= page.capacity() / 4);
        let mut stolen = [None; STEAL_MOST];
        let mut got = 0;
        for page in rich.take(most) {
            stolen[got] = Some(page);
            got += 1;
        }
        for page in stolen.into_iter().flatten() {
            self.end_page_lease(page, victim);
        }
        victim.purge_ready();
        for page in stolen.into_iter().flatten() {
            self.lease_page(page, record);
        }
        victim.account_given(u32::try_from(got).unwrap_or(0));
        got
    }
}

impl CacheRecord {
    /// Pages with free units that the thread does not need for itself, about.
    fn excess_pages(&self) -> usize {
        let retained = self.ready_pages().saturating_sub(self.pages_kept());
        // What others released of its words, and it does not know of yet.
        retained + self.pages_of_mail()
    }

    /// Pages of words that others released units of.
    pub(super) fn pages_of_mail(&self) -> usize {
        self.mail() / self.heap().geometry().words().max(1)
    }
}
