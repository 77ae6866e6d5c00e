//! Memory for records of call sites. It is bounded for all families together, and goes back when nothing is
//! recorded.
//!
//! A family takes runs of granules and fills them from the front. The more runs it has, the longer is the next.
//! All its runs go back together, when its records are forgotten. `trim` gives back segments without a run.

use core::alloc::Layout;
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
const GRANULE: usize = 1 << 10;

/// Granules of the longest run. Each run's length is a power of two, and it starts at a multiple of that.
const LONGEST: usize = 16;

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
/// 2. A granule whose bit is set is part of one run, which one [`Records`] has; nothing uses the others.
#[derive(Debug)]
struct Segment {
    mapping: Mapping,
    used: [u64; WORDS],
}

/// The runs of one family.
///
/// # Invariants
///
/// 1. `newest` and each `older` after it lead to the head of a run that this value has alone.
/// 2. The first `used` bytes of the newest run are taken.
#[derive(Debug)]
pub(in crate::heap) struct Records {
    newest: Option<NonNull<Head>>,
    used: usize,
}

/// The head of a run, at its start.
#[derive(Clone, Copy, Debug)]
struct Head {
    older: Option<NonNull<Head>>,
    granules: usize,
}

// SAFETY: by invariant 1 of `Records` the runs belong to the value alone, and no thread is tied to them.
unsafe impl Send for Records {}

impl Records {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            newest: None,
            used: 0,
        }
    }

    /// Moves a value into the runs, with room for an array after it. Both stay there until
    /// [`give_back`](Self::give_back).
    pub(in crate::heap) fn place<T, A>(
        &mut self,
        length: usize,
        make: impl FnOnce(NonNull<A>) -> T,
    ) -> Result<NonNull<T>, Refused> {
        let array = Layout::array::<A>(length).map_err(|_| Refused)?;
        let (both, behind) = Layout::new::<T>().extend(array).map_err(|_| Refused)?;
        let first = self.room(both)?;
        // SAFETY: `room` returned as many bytes as `both` says, and the array begins `behind` bytes into
        // them.
        let array = unsafe { first.add(behind) };
        // SAFETY: `room` returned memory that nothing uses, as long as `both` says and aligned for it. The
        // value is at its start.
        unsafe { first.cast::<T>().write(make(array.cast())) };
        Ok(first.cast())
    }

    fn room(&mut self, layout: Layout) -> Result<NonNull<u8>, Refused> {
        if let Some(room) = self.cut(layout) {
            return Ok(room);
        }
        self.take_run()?;
        self.cut(layout).ok_or(Refused)
    }

    fn cut(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let newest = self.newest?;
        // SAFETY: by invariant 1 a `Head` is there, and only this value, which is borrowed, may change it.
        let granules = unsafe { newest.as_ref() }.granules;
        let start = self.used.checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > granules * GRANULE {
            return None;
        }
        self.used = end;
        // SAFETY: `end` is no further than the end of the run, which by invariant 1 begins at `newest`.
        Some(unsafe { newest.cast::<u8>().add(start) })
    }

    fn take_run(&mut self) -> Result<(), Refused> {
        // SAFETY: by invariant 1 a `Head` is there, and only this value, which is borrowed, may change it.
        let last = self
            .newest
            .map_or(0, |head| unsafe { head.as_ref() }.granules);
        let wanted = (2 * last).clamp(1, LONGEST);
        let (start, granules) = POOL.lock().take_at_most(wanted)?;
        let head = Head {
            older: self.newest,
            granules,
        };
        // SAFETY: `take_at_most` took the run, so that nothing else uses it. It has a granule at least,
        // which is longer than a `Head`, and starts at a granule, which is aligned for one.
        unsafe { start.cast().write(head) };
        self.newest = Some(start.cast());
        self.used = size_of::<Head>();
        Ok(())
    }

    /// Gives all runs back.
    ///
    /// # Safety
    ///
    /// 1. Nothing uses what was placed there any more.
    pub(in crate::heap) unsafe fn give_back(&mut self) {
        if self.newest.is_none() {
            return;
        }
        let mut pool = POOL.lock();
        while let Some(newest) = self.newest {
            // SAFETY: by invariant 1 a `Head` is there. It is copied before the pool gets the run.
            let head = *unsafe { newest.as_ref() };
            self.newest = head.older;
            pool.give_back(newest.addr().get(), head.granules);
        }
        self.used = 0;
    }
}

impl Pool {
    /// Takes a run of `wanted` granules, or of half as many, and so on.
    fn take_at_most(&mut self, wanted: usize) -> Result<(NonNull<u8>, usize), Refused> {
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

    fn give_back(&mut self, start: usize, granules: usize) {
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

    #[test]
    fn values_stay_until_they_are_given_back() {
        let mut records = Records::new();
        let place = |records: &mut Records, number: usize| {
            let value = records.place(number % 80, |array: NonNull<usize>| (number, array));
            value.expect("memory")
        };
        let values: Vec<_> = (0..5_000)
            .map(|number| place(&mut records, number))
            .collect();
        for (number, value) in values.iter().enumerate() {
            // SAFETY: `place` put the value there, and `records` has not given it back.
            assert_eq!(unsafe { value.as_ref() }.0, number);
        }
        // SAFETY: the loop was the last use of `values`.
        unsafe { records.give_back() };
        assert!(records.newest.is_none());
    }
}
