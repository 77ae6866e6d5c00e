//! The runs of one family for blocks larger than a VM page.
//!
//! A released run stays with its family. The latest ones keep their memory, up to a few megabytes, so that a
//! program that allocates and releases the same large blocks over and over makes no call into the kernel. The
//! memory of older runs is given back. These are joined with given-back neighbours, and reused by a good fit:
//! the best of the first few in the list of their size.

use super::Large;
use super::give_back::end_block;
use crate::heap::ground::hardening::OnRelease;
use crate::heap::ground::{GRANULE, HeapRef, List, heap_limit};
use crate::heap::pages::{Record, Span};
use crate::os::{Refused, process};
use core::ptr::NonNull;

/// Bytes of memory that released runs keep together, at most.
const MOST_KEPT: usize = 8 << 20;

/// Bytes of memory that the latest released run keeps if it is the only one, at most.
const LARGEST_KEPT: usize = 32 << 20;

/// Lists of free runs, one for each power of two in their size.
const SIZES: usize = usize::BITS as usize;

/// Free runs of one list that an allocation looks at.
const LOOKS: usize = 16;

/// The runs of one family that hold no live block.
#[derive(Debug)]
pub(in crate::heap) struct LargeRuns {
    pub(super) free: [List<Large>; SIZES],
    /// A bit for each list of `free` that is not empty.
    sizes: u64,
    pub(super) kept: List<Large>,
    kept_bytes: usize,
    pub(super) retained: List<Large>,
}

/// What changes in the family when runs do: the count of calls into the kernel, and the list of records.
pub(in crate::heap) struct Ledger<'a> {
    pub(in crate::heap) calls: &'a mut u64,
    pub(in crate::heap) newest: &'a mut Option<&'static Record>,
    /// Whether the blocks are untyped.
    pub(in crate::heap) is_untyped: bool,
}

impl LargeRuns {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            free: [const { List::new() }; SIZES],
            sizes: 0,
            kept: List::new(),
            kept_bytes: 0,
            retained: List::new(),
        }
    }

    /// Makes a block of `units` units, which are `bytes` bytes. Returns its start, and whether its memory is
    /// known to be zero.
    pub(in crate::heap) fn alloc(
        &mut self,
        heap: HeapRef,
        units: usize,
        bytes: usize,
        ledger: &mut Ledger<'_>,
    ) -> Result<(NonNull<u8>, bool), Refused> {
        let bytes = bytes
            .checked_add(Large::guard_bytes(heap.geometry().contents()))
            .ok_or(Refused)?;
        let bytes = bytes.checked_next_multiple_of(GRANULE).ok_or(Refused)?;
        let align = heap.geometry().align().max(GRANULE);
        let run = match self.take_kept(bytes, align) {
            Some(kept) => kept,
            None => self.hold_more(heap, bytes, align, ledger)?,
        };
        let block = run.start_block(units).ok_or(Refused)?;
        run.guard(ledger.calls);
        Ok(block)
    }

    /// Takes a run whose memory the family does not hold yet, if the limit of the heap admits it.
    fn hold_more(
        &mut self,
        heap: HeapRef,
        bytes: usize,
        align: usize,
        ledger: &mut Ledger<'_>,
    ) -> Result<&'static Large, Refused> {
        heap_limit::hold(bytes)?;
        let run = match self.take_free(bytes, align) {
            Some(free) => self.split(free, bytes, ledger),
            None => {
                let made = self.make(heap, bytes, align, ledger);
                made.inspect_err(|_| heap_limit::release(bytes))?
            }
        };
        // A run that could not be split is longer.
        heap_limit::hold_admitted(run.bytes() - bytes);
        Ok(run)
    }

    /// Takes back the run of a released block.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a block, which nothing uses any more.
    pub(in crate::heap) unsafe fn release(&mut self, run: &'static Large, calls: &mut u64) {
        // SAFETY: requirement 1 is that of `end_block`.
        if unsafe { end_block(run, calls) }.is_none() {
            return;
        }
        run.keep();
        self.kept.push(run);
        self.kept_bytes += run.bytes();
        while self.keeps_too_much() {
            self.give_back_oldest(calls);
        }
    }

    /// As [`release`](Self::release), but leaves nothing of the block's contents: the memory is given back, and
    /// cleared if the kernel refuses any of it.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a block, which nothing uses any more.
    pub(in crate::heap) unsafe fn release_cleared(&mut self, run: &'static Large, calls: &mut u64) {
        // SAFETY: requirement 1 is that of `end_block`.
        let Some(place) = (unsafe { end_block(run, calls) }) else {
            return;
        };
        // SAFETY: by requirement 1 nothing uses the block of the run, which `end_block` ended.
        if unsafe { self.give_back(run, calls) }.refused > 0 {
            // SAFETY: by invariant 1 of `Large` the run is committed and the family's alone, and by requirement
            // 1 nothing uses its block, so that only the holder of the family's lock, this thread, uses it.
            unsafe { OnRelease::Zero.apply(place.at(0), place.bytes) };
        }
    }

    fn keeps_too_much(&self) -> bool {
        let is_one = self.kept.iter().nth(1).is_none();
        self.kept_bytes > if is_one { LARGEST_KEPT } else { MOST_KEPT }
    }

    /// Takes the smallest kept run that fits a block of `bytes` bytes closely.
    fn take_kept(&mut self, bytes: usize, align: usize) -> Option<&'static Large> {
        // A much larger run would hold memory that the block does not use.
        let most = bytes.saturating_add(bytes / 8);
        let close = |run: &&'static Large| run.fits(bytes, align) && run.bytes() <= most;
        let best = self
            .kept
            .iter()
            .filter(close)
            .min_by_key(|run| run.bytes())?;
        self.remove_kept(best);
        Some(best)
    }

    pub(super) fn remove_kept(&mut self, run: &'static Large) {
        self.kept.remove(run);
        self.kept_bytes -= run.bytes();
    }

    /// Takes a free run that fits, from the list of the block's size or from one of larger runs.
    fn take_free(&mut self, bytes: usize, align: usize) -> Option<&'static Large> {
        let mut sizes = self.sizes & (u64::MAX << bytes.ilog2());
        while sizes != 0 {
            let size = sizes.trailing_zeros() as usize;
            let some = self.free[size].iter().take(LOOKS);
            let fitting = some.filter(|run| run.fits(bytes, align));
            if let Some(best) = fitting.min_by_key(|run| run.bytes()) {
                self.remove_free(best);
                return Some(best);
            }
            sizes &= sizes - 1;
        }
        None
    }

    /// Cuts a run down to `bytes` bytes. The rest becomes a free run.
    fn split(
        &mut self,
        run: &'static Large,
        bytes: usize,
        ledger: &mut Ledger<'_>,
    ) -> &'static Large {
        let Some(place) = run.place().filter(|place| place.bytes > bytes) else {
            return run;
        };
        let refused = run.refused();
        // Without memory for a record, the block gets the whole run.
        if let Ok(rest) = self.record(run.heap, ledger) {
            run.set_run(place.offset, bytes);
            rest.bind(Span {
                offset: place.offset + bytes,
                bytes: place.bytes - bytes,
                ..place
            });
            // The refused memory may be in either of the two.
            self.add_free(rest, refused);
        }
        run
    }

    fn make(
        &mut self,
        heap: HeapRef,
        bytes: usize,
        align: usize,
        ledger: &mut Ledger<'_>,
    ) -> Result<&'static Large, Refused> {
        // As the kernel does for malloc: a block larger than all memory is refused at once.
        if bytes > process::memory_bytes() {
            return Err(Refused);
        }
        // The record first: address space cannot be given back.
        let run = self.record(heap, ledger)?;
        let place = Span::take(bytes, align, ledger.calls);
        let place = place.inspect_err(|_| self.retained.push(run))?;
        if ledger.is_untyped {
            place.begin_untyped(ledger.calls);
        }
        run.bind(place);
        run.set_free(0);
        Ok(run)
    }

    /// Returns a record without address space that is on no list.
    fn record(
        &mut self,
        heap: HeapRef,
        ledger: &mut Ledger<'_>,
    ) -> Result<&'static Large, Refused> {
        match self.retained.pop() {
            Some(retained) => Ok(retained),
            None => Large::make(heap, &mut |made| made.push(ledger.newest)),
        }
    }

    pub(super) fn add_free(&mut self, run: &'static Large, refused: usize) {
        let size = run.bytes().ilog2();
        run.set_free(refused);
        self.free[size as usize].push(run);
        self.sizes |= 1 << size;
    }

    pub(super) fn remove_free(&mut self, run: &'static Large) {
        let size = run.bytes().ilog2();
        let list = &mut self.free[size as usize];
        list.remove(run);
        if list.newest().is_none() {
            self.sizes &= !(1 << size);
        }
    }
}
