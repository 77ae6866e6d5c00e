//! Pages that a thread gets from another thread that does not need them.

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier};

/// A thread takes pages from another only if all other threads together can spare at least this many.
pub(super) const STEAL_FROM: usize = 16;

/// Pages of the other thread that are examined, and that are taken at once.
const STEAL_LOOKS: usize = 64;
const STEAL_MOST: usize = 16;

impl Central {
    /// Takes pages of another thread that has many free units, if all others together have enough to spare.
    pub(super) fn steal(&mut self, heap: &'static Heap, record: &'static CacheRecord) -> bool {
        let pages = self.extent_bytes / heap.geometry().page_bytes();
        if pages < self.steal_from_pages {
            return false;
        }
        let others = self
            .caches
            .iter()
            .filter(|it| it.number() != record.number());
        let (mut best, mut most, mut all) = (None, 0, 0);
        for other in others {
            let excess = other.excess_pages();
            all += excess;
            if excess > most {
                (best, most) = (Some(other), excess);
            }
        }
        let mut got = 0;
        // Partly used pages are slower than empty ones, so this must be worth it.
        if let Some(victim) = best.filter(|_| all >= STEAL_FROM.max(pages / 32)) {
            victim.want();
            if barrier() && victim.try_wait_until_at_rest() {
                got = self.steal_from(victim, record, most);
            }
            victim.end_wanted();
        }
        if got == 0 {
            self.steal_from_pages = pages + pages / 16 + 1;
        }
        got > 0
    }

    fn steal_from(
        &mut self,
        victim: &'static CacheRecord,
        record: &'static CacheRecord,
        excess: usize,
    ) -> usize {
        victim.drain_inbox();
        let words = victim.heap().geometry().words();
        let most = (record.owned_words() / words / 8)
            .clamp(1, STEAL_MOST)
            .min(excess);
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
        victim.unlist_empty();
        for page in stolen.into_iter().flatten() {
            self.lease_page(page, record);
        }
        victim.account_given(u32::try_from(got).unwrap_or(0));
        got
    }
}

impl CacheRecord {
    /// Pages with free units that the thread does not need, approximately.
    fn excess_pages(&self) -> usize {
        let excess = self.ready_pages().saturating_sub(self.pages_kept());
        // Units that other threads released, which this thread has not collected yet.
        excess + self.pages_of_remote_releases()
    }

    /// The number of pages that the words in the inbox would fill, approximately.
    pub(super) fn pages_of_remote_releases(&self) -> usize {
        self.inbox_words() / self.heap().geometry().words().max(1)
    }
}
