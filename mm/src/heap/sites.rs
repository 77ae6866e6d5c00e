//! The places in the program that allocated of one family, each with what was recorded of it.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::asker::Asker;
use super::caller::Origin;
use super::link::Link;
use super::meta;
use super::tags::Tagged;
use crate::os::Refused;

/// Buckets at the start. There are four times as many whenever sites are twice as many as buckets.
const BUCKETS: usize = 64;

/// All sites of a family, which are kept for ever. Changed under the family's lock alone.
#[derive(Debug)]
pub(super) struct Sites {
    buckets: &'static [Link<Site>],
    count: usize,
    newest: Option<&'static Site>,
}

/// One place in the program that allocated, on one thread's behalf.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) origin: Origin,
    pub(crate) thread: &'static str,
    pub(crate) frames: &'static [usize],
    blocks: AtomicU64,
    units: AtomicU64,
    /// What the last look at the tags found live.
    live_blocks: AtomicU64,
    live_units: AtomicU64,
    oldest: AtomicU64,
    oldest_address: AtomicUsize,
    next_of_bucket: Link<Site>,
    pub(super) older: Link<Site>,
}

/// What is known of one site: numbers of blocks and units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteFigures {
    /// Recorded since tracking began.
    pub(crate) blocks: u64,
    pub(crate) units: u64,
    /// Of these, live at the last look.
    pub(crate) live_blocks: u64,
    pub(crate) live_units: u64,
    /// When the oldest live one was allocated, as `clock::milliseconds` counts.
    pub(crate) oldest: u64,
    pub(crate) oldest_address: usize,
}

impl Sites {
    pub(super) const fn new() -> Self {
        Self {
            buckets: &[],
            count: 0,
            newest: None,
        }
    }

    /// The newest; each leads to the one before.
    pub(super) fn newest(&self) -> Option<&'static Site> {
        self.newest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Site> + use<> {
        core::iter::successors(self.newest, |site| site.older.get())
    }

    /// The site of `asker`, made now if it is new.
    pub(super) fn of(&mut self, asker: &Asker) -> Result<&'static Site, Refused> {
        if self.count >= self.buckets.len() * 2 {
            self.grow()?;
        }
        let bucket = bucket(self.buckets, asker.hash());
        let mut known = core::iter::successors(bucket.get(), |site| site.next_of_bucket.get());
        if let Some(known) = known.find(|site| site.is_of(asker)) {
            return Ok(known);
        }
        let new = Site::make(asker)?;
        new.next_of_bucket.set(bucket.get());
        bucket.set(Some(new));
        new.older.set(self.newest.replace(new));
        self.count += 1;
        Ok(new)
    }

    fn grow(&mut self) -> Result<(), Refused> {
        let buckets = (self.buckets.len() * 4).max(BUCKETS);
        let buckets = meta::RECORDS.zeroed::<Link<Site>>(buckets)?;
        for site in self.iter() {
            let bucket = bucket(buckets, site.hash());
            site.next_of_bucket.set(bucket.get());
            bucket.set(Some(site));
        }
        self.buckets = buckets;
        Ok(())
    }
}

impl Site {
    fn make(asker: &Asker) -> Result<&'static Self, Refused> {
        meta::RECORDS.place(Self {
            origin: asker.origin,
            thread: asker.thread,
            frames: meta::RECORDS.copied(&asker.frames)?,
            blocks: AtomicU64::new(0),
            units: AtomicU64::new(0),
            live_blocks: AtomicU64::new(0),
            live_units: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            oldest_address: AtomicUsize::new(0),
            next_of_bucket: Link::none(),
            older: Link::none(),
        })
    }

    fn is_of(&self, asker: &Asker) -> bool {
        self.origin.is(&asker.origin)
            // Names are kept once.
            && core::ptr::eq(self.thread, asker.thread)
            && *self.frames == *asker.frames
    }

    /// Counts a block that was recorded.
    pub(super) fn account_recorded(&self, units: u64) {
        add(&self.blocks, 1);
        add(&self.units, units);
    }

    /// Forgets what was recorded.
    pub(super) fn account_forgotten(&self) {
        self.blocks.store(0, Relaxed);
        self.units.store(0, Relaxed);
    }

    /// Begins a look at the tags.
    pub(super) fn begin_look(&self) {
        self.live_blocks.store(0, Relaxed);
        self.live_units.store(0, Relaxed);
        self.oldest.store(u64::MAX, Relaxed);
    }

    /// Counts a live block that the look found.
    pub(super) fn account_live(&self, found: &Tagged) {
        add(&self.live_blocks, 1);
        add(&self.live_units, found.units);
        if found.since < self.oldest.load(Relaxed) {
            self.oldest.store(found.since, Relaxed);
            self.oldest_address.store(found.address, Relaxed);
        }
    }

    /// What is recorded, and what the last look found.
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

/// Adds to a count that nobody else changes meanwhile.
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Relaxed) + more, Relaxed);
}

fn bucket(buckets: &'static [Link<Site>], hash: usize) -> &'static Link<Site> {
    &buckets[hash % buckets.len()]
}

impl Asker {
    fn hash(&self) -> usize {
        hash(&self.origin, self.thread, &self.frames)
    }
}

impl Site {
    fn hash(&self) -> usize {
        hash(&self.origin, self.thread, self.frames)
    }
}

/// Of all that tells sites apart: there may be as many threads at one place as there are sites.
fn hash(origin: &Origin, thread: &'static str, frames: &[usize]) -> usize {
    let start = mixed(origin.hash(), thread.as_ptr().addr());
    let hash = frames.iter().fold(start, |hash, frame| mixed(hash, *frame));
    // The low bits choose the bucket.
    hash ^ (hash >> 15)
}

fn mixed(hash: usize, more: usize) -> usize {
    hash.rotate_left(5)
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(more)
}

#[cfg(test)]
mod tests {
    use core::panic::Location;

    use super::*;
    use crate::heap::caller::Caller;
    use crate::heap::names;
    use crate::os::unwind;

    #[test]
    fn threads_at_one_place_are_spread() {
        let mut sites = Sites::new();
        let origin = Location::caller().origin();
        for number in 0..1_000 {
            let asker = Asker {
                origin,
                thread: names::kept_thread(&format!("worker {number}")),
                scope: 0,
                frames: unwind::frames(),
                now: 0,
            };
            let new = sites.of(&asker).expect("memory");
            assert!(core::ptr::eq(new, sites.of(&asker).expect("memory")));
        }
        assert_eq!(sites.iter().count(), 1_000);
        let chain = |first: &Link<Site>| {
            core::iter::successors(first.get(), |site| site.next_of_bucket.get()).count()
        };
        let longest = sites.buckets.iter().map(chain).max();
        assert!(longest < Some(16), "{longest:?} of {}", sites.buckets.len());
    }
}
