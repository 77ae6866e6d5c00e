//! Memory for records of call sites. It is bounded for all families together, and goes back when nothing is
//! recorded.
//!
//! A family takes runs of granules and fills them from the front. The more runs it has, the longer is the next.
//! All its runs go back together, when its records are forgotten. `trim` gives back segments without a run.
mod pool;

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::os::Refused;
use pool::GRANULE;
pub(crate) use pool::trim_recorded;
pub(in crate::heap) use pool::{POOL, lock_for_fork, resident, unlock_after_fork};

/// Granules of the longest run. Each run's length is a power of two, and it starts at a multiple of that.
const LONGEST: usize = 16;

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

#[cfg(test)]
mod tests {
    use super::*;

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
