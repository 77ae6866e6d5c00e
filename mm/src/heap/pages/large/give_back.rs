//! Giving the memory of released runs back to the kernel, and joining the runs.

use super::Large;
use super::runs::LargeRuns;
use crate::heap::ground::hardening::OnRelease;
use crate::heap::ground::heap_limit;
use crate::heap::pages::huge::account_edges;
use crate::heap::pages::{Record, SPACE, Span};
use crate::os::Refused;

/// Bytes of memory that were to go back, by what the kernel did.
#[derive(Clone, Copy, Default)]
pub(super) struct Given {
    taken: usize,
    pub(super) refused: usize,
}

impl LargeRuns {
    /// Gives back the memory of all kept runs, and tries again the memory that the kernel refused before.
    /// Returns the bytes that the kernel took.
    pub(in crate::heap) fn give_back_all(&mut self, calls: &mut u64) -> usize {
        let dirty = self.free.iter().filter(|run| run.is_dirty());
        // SAFETY: by invariant 3 of `Large` a run on a list of `free` holds no block.
        let again = dirty.map(|run| unsafe { discard_again(run, calls) });
        let mut taken = again.sum();
        while let Some(given) = self.give_back_oldest(calls) {
            taken += given.taken;
        }
        taken
    }

    /// Gives back the memory of kept runs that were last used before the moment `before`. Returns the bytes that the
    /// kernel took.
    pub(in crate::heap) fn give_back_unused_since(
        &mut self,
        before: u64,
        calls: &mut u64,
    ) -> usize {
        let mut taken = 0;
        while let Some(run) = self.kept.take_unused_since(before) {
            // SAFETY: by invariant 3 of `Large` a kept run holds no block. `take_unused_since` took it off its lists.
            taken += unsafe { self.give_back(run, calls) }.taken;
        }
        taken
    }

    pub(super) fn give_back_oldest(&mut self, calls: &mut u64) -> Option<Given> {
        let oldest = self.kept.take_oldest()?;
        // SAFETY: by invariant 3 of `Large` a kept run holds no block. `take_oldest` took it off its lists.
        Some(unsafe { self.give_back(oldest, calls) })
    }

    /// Gives a run's memory back, and joins the run with free neighbours.
    ///
    /// # Safety
    ///
    /// 1. `run` holds no block that something uses, and is on no list.
    pub(super) unsafe fn give_back(&mut self, run: &'static Large, calls: &mut u64) -> Given {
        let Some(place) = run.place() else {
            return Given::default();
        };
        heap_limit::release(place.bytes);
        // SAFETY: by requirement 1 nothing needs the contents of `run`, of which `place` is.
        let given = match unsafe { discard_or_renew(run, place, calls) } {
            Ok(given) => given,
            Err(Refused) => {
                run.give_up();
                return Given::default();
            }
        };
        let (joined, refused) = self.join(run, place, given.refused);
        self.add_free(joined, refused);
        given
    }

    /// Joins a run with the free runs before and after it. Returns the bytes that the kernel refused of all.
    fn join(
        &mut self,
        run: &'static Large,
        place: Span,
        refused: usize,
    ) -> (&'static Large, usize) {
        let mut joined = (run, refused);
        let [after, before] = neighbours(run, place);
        if let Some(after) = after.filter(|other| other.is_free()) {
            self.free.remove(after);
            joined = self.absorb(joined, after, false);
        }
        if let Some(before) = before.filter(|other| other.is_free()) {
            self.free.remove(before);
            joined = self.absorb(joined, before, true);
        }
        joined
    }

    /// Joins `run` and its neighbour `other`, which are both on no list. Returns the bytes that the kernel refused of
    /// both.
    pub(super) fn absorb(
        &mut self,
        (run, refused): (&'static Large, usize),
        other: &'static Large,
        is_before: bool,
    ) -> (&'static Large, usize) {
        let refused = refused + other.refused();
        let (first, second) = if is_before {
            (other, run)
        } else {
            (run, other)
        };
        if let Some(tail) = second.place() {
            first.extend(tail);
        }
        first.set_edges(first.edges() + second.edges());
        first.set_huge(first.is_huge() || second.is_huge());
        second.set_edges(0);
        second.unbind();
        self.retained.push(second);
        (first, refused)
    }
}

/// Ends a released block: removes the guard, and returns the run. `None` if the guard stays, so that the run is
/// lost.
///
/// # Safety
///
/// 1. `run` holds a block, which nothing uses any more.
pub(super) unsafe fn end_block(run: &Large, calls: &mut u64) -> Option<Span> {
    let place = run.place()?;
    if run.unguard(calls).is_err() {
        // SAFETY: `place` is that of the run, which is committed by invariant 1 of `Large`. By requirement 1
        // nothing needs its contents.
        let given = unsafe { discard(place, calls) };
        if let Some((_, behind)) = run.behind_block().filter(|_| given.refused > 0) {
            // SAFETY: by invariant 1 of `Large` the run is committed and the family's alone. Its block, which by
            // requirement 1 nothing uses, ends before `behind`, and so before the guard.
            unsafe { OnRelease::Zero.apply(place.at(0), behind) };
        }
        heap_limit::release(place.bytes);
        run.lose();
        return None;
    }
    Some(place)
}

/// Tries once more to give back a free run's memory. Returns the bytes that the kernel took of those that it
/// had refused.
///
/// # Safety
///
/// 1. `run` holds no block.
unsafe fn discard_again(run: &Large, calls: &mut u64) -> usize {
    let before = run.refused();
    // SAFETY: `place` gives that of the run, which is committed by invariant 1 of `Large`. By requirement 1
    // nothing needs its contents.
    let given = run.place().map(|place| unsafe { discard(place, calls) });
    let refused = given.map_or(before, |given| given.refused);
    run.set_free(refused);
    before.saturating_sub(refused)
}

/// Gives back the memory of a run without a block. Where memory was moved, this maps the run anew, so that it takes no
/// mappings of its own any more. If the kernel refuses that, the run can no longer be used.
///
/// # Safety
///
/// 1. `place` is that of the run.
/// 2. Nothing needs its contents.
unsafe fn discard_or_renew(run: &Large, place: Span, calls: &mut u64) -> Result<Given, Refused> {
    if run.edges() == 0 {
        // SAFETY: by invariant 1 of `Large` the place is committed. Requirement 2 is the other one.
        return Ok(unsafe { discard(place, calls) });
    }
    *calls += 1;
    // SAFETY: by invariant 1 of `Large` the place is committed. Requirement 2 is the other one.
    unsafe { place.renew() }?;
    place.wish_again(run.is_huge(), calls);
    account_edges(0, run.edges());
    run.set_edges(0);
    Ok(Given {
        taken: place.bytes,
        refused: 0,
    })
}

/// Gives back the memory of a run without a block.
///
/// # Safety
///
/// 1. The place is committed.
/// 2. Nothing needs its contents.
unsafe fn discard(place: Span, calls: &mut u64) -> Given {
    // SAFETY: requirements 1 and 2 are those of `discard_parts` for all bytes of the place.
    let refused = unsafe { place.discard_parts(0, place.bytes, calls) };
    Given {
        taken: place.bytes - refused,
        refused,
    }
}

/// The runs of the same family after and before a run at `place`.
///
/// The first and the last granule of an arena have no record, so a run of another arena is never a neighbour.
pub(super) fn neighbours(run: &Large, place: Span) -> [Option<&'static Large>; 2] {
    [place.address() + place.bytes, place.address() - 1].map(|address| {
        match SPACE.record_at(address)? {
            Record::Large(other) if other.heap.is(run.heap) => Some(other),
            _ => None,
        }
    })
}
