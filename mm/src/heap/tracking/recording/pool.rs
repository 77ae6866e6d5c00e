//! The pool from which all families take runs of granules for their records.

use core::ops::Range;
use core::ptr::NonNull;

use crate::os::{Lock, Look, Mapping, PageSource, Refused, System};

/// Bytes of all records of call sites, including stacks, at most. Together with names and the tags of 200,000
/// blocks this is less than 16 MiB.
const MOST_BYTES: usize = 12 << 20;

/// Bytes of a segment.
const SEGMENT: usize = 1 << 20;

const SEGMENTS: usize = MOST_BYTES / SEGMENT;

/// Bytes of a granule.
pub(super) const GRANULE: usize = 1 << 10;

/// Granules that one word of the map stands for.
const WORD: usize = u64::BITS as usize;

const WORDS: usize = SEGMENT / GRANULE / WORD;

/// The pool from which all families take runs.
pub(in crate::heap) static POOL: Lock<Pool> = Lock::new(Pool {
    segments: [const { None }; SEGMENTS],
});

#[derive(Debug)]
pub(in crate::heap) struct Pool {
    segments: [Option<Segment>; SEGMENTS],
}

/// # Invariants
///
/// 1. The mapping is committed.
/// 2. A granule whose bit is set is part of one run, which one [`Records`](super::Records) has; nothing uses the
///    others.
#[derive(Debug)]
struct Segment {
    mapping: Mapping,
    used: [u64; WORDS],
}

impl Pool {
    /// Takes a run of `wanted` granules, or of half as many, and so on.
    pub(super) fn take_at_most(&mut self, wanted: usize) -> Result<(NonNull<u8>, usize), Refused> {
        let mut granules = wanted;
        loop {
            match self.take(granules) {
                Ok(start) => return Ok((start, granules)),
                Err(Refused) if granules > 1 => granules /= 2,
                Err(Refused) => return Err(Refused),
            }
        }
    }

    fn take(&mut self, granules: usize) -> Result<NonNull<u8>, Refused> {
        let mut segments = self.segments.iter_mut().flatten();
        if let Some(start) = segments.find_map(|segment| segment.take(granules)) {
            return Ok(start);
        }
        let empty = self.segments.iter_mut().find(|segment| segment.is_none());
        let new = empty.ok_or(Refused)?.insert(Segment::make()?);
        new.take(granules).ok_or(Refused)
    }

    pub(super) fn give_back(&mut self, start: usize, granules: usize) {
        let mut segments = self.segments.iter_mut().flatten();
        if let Some(segment) = segments.find(|segment| segment.offset(start).is_some()) {
            segment.give_back(start, granules);
        }
    }
}

impl Segment {
    fn make() -> Result<Self, Refused> {
        let mapping = Mapping::reserve(SEGMENT, 1)?;
        mapping.commit(0..mapping.bytes())?;
        Ok(Self {
            mapping,
            used: [0; WORDS],
        })
    }

    fn take(&mut self, granules: usize) -> Option<NonNull<u8>> {
        let run = run(granules);
        let words = self.used.iter_mut().enumerate();
        for (index, word) in words.filter(|(_, word)| **word != u64::MAX) {
            let mut places = (0..WORD).step_by(granules);
            if let Some(place) = places.find(|place| *word & run << place == 0) {
                *word |= run << place;
                return Some(self.mapping.at((index * WORD + place) * GRANULE));
            }
        }
        None
    }

    fn give_back(&mut self, start: usize, granules: usize) {
        let granule = self.offset(start).unwrap_or_default() / GRANULE;
        self.used[granule / WORD] &= !(run(granules) << (granule % WORD));
    }

    fn offset(&self, address: usize) -> Option<usize> {
        let offset = address.wrapping_sub(self.mapping.address());
        (offset < SEGMENT).then_some(offset)
    }

    fn is_empty(&self) -> bool {
        self.used == [0; WORDS]
    }

    /// Gives back the memory of OS pages without a run.
    fn trim(&self) {
        for from in (0..SEGMENT).step_by(System::page_bytes()) {
            let page = from..(from + System::page_bytes()).min(SEGMENT);
            if self.is_unused(page.clone()) {
                // SAFETY: by invariant 1 the mapping is committed. `is_unused` found no bit of the page's
                // granules set, so that by invariant 2 nothing uses them.
                let _ = unsafe { self.mapping.discard(page) };
            }
        }
    }

    fn is_unused(&self, bytes: Range<usize>) -> bool {
        let mut granules = bytes.step_by(GRANULE).map(|byte| byte / GRANULE);
        granules.all(|granule| self.used[granule / WORD] & 1 << (granule % WORD) == 0)
    }
}

/// A mask with as many bits as a run has granules.
fn run(granules: usize) -> u64 {
    (1 << granules) - 1
}

/// Gives back the memory that no family uses.
pub(crate) fn trim_recorded() {
    let mut pool = POOL.lock();
    for segment in &mut pool.segments {
        match segment {
            Some(used) if used.is_empty() => *segment = None,
            Some(used) => used.trim(),
            None => {}
        }
    }
}

/// Resident bytes of all segments.
pub(in crate::heap) fn resident(look: &Look) -> Result<usize, Refused> {
    let pool = POOL.lock();
    let mut segments = pool.segments.iter().flatten();
    segments.try_fold(0, |all, segment| {
        let mapping = &segment.mapping;
        Ok(all + mapping.resident(look, 0..mapping.bytes())?)
    })
}

/// Takes the lock before a fork.
pub(in crate::heap) fn lock_for_fork() {
    POOL.lock_for_fork();
}

/// Releases the lock that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `POOL`.
    unsafe { POOL.unlock_after_fork() };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool {
            segments: [const { None }; SEGMENTS],
        }
    }

    #[test]
    fn a_pool_hands_out_each_granule_once() {
        let (mut pool, mut runs) = (pool(), Vec::new());
        for wanted in (0..).map(|number| 1 << (number % 5)) {
            let Ok((start, granules)) = pool.take_at_most(wanted) else {
                break;
            };
            runs.push((start.addr().get(), granules));
        }
        let all: usize = runs.iter().map(|(_, granules)| granules * GRANULE).sum();
        assert_eq!(all, MOST_BYTES);
        runs.sort_unstable();
        let overlap = |pair: &[(usize, usize)]| pair[0].0 + pair[0].1 * GRANULE > pair[1].0;
        assert!(!runs.windows(2).any(overlap));
        // Granules that were given back can be taken again, and no others.
        let back = runs.swap_remove(runs.len() / 2);
        pool.give_back(back.0, back.1);
        let (start, granules) = pool.take_at_most(back.1).expect("given back");
        assert_eq!((start.addr().get(), granules), back);
        assert_eq!(
            pool.take_at_most(1).map(|(_, granules)| granules),
            Err(Refused)
        );
        for (start, granules) in runs.into_iter().chain([back]) {
            pool.give_back(start, granules);
        }
        assert!(pool.segments.iter().flatten().all(Segment::is_empty));
    }
}
