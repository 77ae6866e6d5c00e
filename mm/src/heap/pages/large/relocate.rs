//! Moving a block to a longer run without a copy of its contents.
//!
//! The kernel moves the memory to other addresses. The old ones stay the family's, without memory. What is moved is a
//! mapping of its own afterwards. Their number is limited, so `huge` counts them until the run is mapped anew, when its
//! memory is given back.

use super::Large;
use super::pieces::{MOST, Part};
use super::runs::{LargeRuns, Ledger};
use crate::heap::ground::{GRANULE, heap_limit};
use crate::heap::pages::Span;
use crate::heap::pages::huge::{account_edges, take_edges_of_moves};
use crate::os::Unmoved;

impl LargeRuns {
    /// Moves the block of `run`, which is in the first `used` bytes, to a run of `bytes` bytes, and starts a block of
    /// `units` units there. Both numbers are multiples of the granule. Returns the new run; `None`, with nothing
    /// changed, if the block has to be copied.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a block without a guard, which nothing uses meanwhile. If this returns a run, nothing uses it
    ///    afterwards.
    pub(in crate::heap) unsafe fn relocate(
        &mut self,
        run: &'static Large,
        [used, bytes]: [usize; 2],
        units: usize,
        ledger: &mut Ledger<'_>,
    ) -> Option<&'static Large> {
        // To copy into memory that was used before costs less than to touch as much that was not.
        if self.kept.has(bytes) {
            return None;
        }
        let (from, parts) = (run.place()?, run.pieces.parts(used));
        if parts.clone().count() > MOST || !can_relocate(from, parts.clone(), ledger) {
            return None;
        }
        let target = self.hold_target(run, bytes, parts.clone().count() + 1, ledger)?;
        let to = target.place()?;
        // SAFETY: by requirement 1 nothing uses the block in `from`. By invariant 1 of `Large` both runs are committed
        // and the family's alone, and `target` holds no block. `used` is not more than the bytes of either.
        if let Err(unmoved) = unsafe { move_parts(from, to, parts.clone(), ledger) } {
            // SAFETY: `hold_target` took the run off its lists, and it holds no block.
            unsafe { self.give_up_target(target, unmoved, ledger) };
            return None;
        }
        target.start_block(units);
        target.pieces.set(parts);
        if let Some(sample) = run.sample.take() {
            target.sample.set(sample);
        }
        self.live_bytes = self.live_bytes - run.bytes() + target.bytes();
        // SAFETY: by requirement 1 nothing uses the block of `run` any more, and a live run is on no list.
        unsafe { self.give_back(run, ledger.calls) };
        Some(target)
    }

    /// Takes a run of `bytes` bytes without memory, and counts its mappings after a move.
    fn hold_target(
        &mut self,
        run: &'static Large,
        bytes: usize,
        edges: usize,
        ledger: &mut Ledger<'_>,
    ) -> Option<&'static Large> {
        if !take_edges_of_moves(edges) {
            return None;
        }
        let align = run.heap.geometry().align().max(GRANULE);
        // The block is in one of the two runs only.
        let live = self.live_bytes - run.bytes() + bytes;
        match self.hold_more(run.heap, bytes, align, live, ledger) {
            Ok(target) => {
                target.set_edges(target.edges() + edges);
                Some(target)
            }
            Err(_) => {
                account_edges(0, edges);
                None
            }
        }
    }

    /// Takes back a run to which nothing could be moved.
    ///
    /// # Safety
    ///
    /// 1. `target` holds no block, and is on no list.
    unsafe fn give_up_target(
        &mut self,
        target: &'static Large,
        unmoved: Unmoved,
        ledger: &mut Ledger<'_>,
    ) {
        match unmoved {
            // SAFETY: requirement 1 is that of `give_back`.
            Unmoved::Unchanged => drop(unsafe { self.give_back(target, ledger.calls) }),
            Unmoved::TargetLost => {
                heap_limit::release(target.bytes());
                target.give_up();
            }
        }
    }
}

/// Whether the kernel moves all parts of a run.
fn can_relocate(
    from: Span,
    mut parts: impl Iterator<Item = Part>,
    ledger: &mut Ledger<'_>,
) -> bool {
    parts.all(|(offset, bytes)| {
        *ledger.calls += 2;
        // SAFETY: the parts are those of a run, which is committed by invariant 1 of `Large`.
        unsafe { from.can_relocate(offset, bytes) }
    })
}

/// Moves the parts of a run to another one, or none of them.
///
/// # Safety
///
/// 1. Both places are committed, have the parts, and do not overlap.
/// 2. Only the caller uses what is in `from`, and nothing needs what is in `to`.
unsafe fn move_parts(
    from: Span,
    to: Span,
    parts: impl Iterator<Item = Part> + Clone,
    ledger: &mut Ledger<'_>,
) -> Result<(), Unmoved> {
    for (number, (offset, bytes)) in parts.clone().enumerate() {
        *ledger.calls += 1;
        // SAFETY: requirements 1 and 2 are those of `Span::relocate`, for each part.
        if let Err(unmoved) = unsafe { from.relocate(offset, bytes, &to) } {
            for (offset, bytes) in parts.take(number) {
                let (original, moved) = (from.at(offset), to.at(offset));
                // SAFETY: by requirement 1 the part is in both places, which do not overlap; by requirement 2 only the
                // caller uses it. It was moved before, so both have usable memory.
                unsafe { original.copy_from_nonoverlapping(moved, bytes) };
            }
            return Err(unmoved);
        }
    }
    Ok(())
}
