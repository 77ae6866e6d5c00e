//! The runs of one family for blocks larger than a VM page.
//!
//! A released run stays with its family. As long as the family keeps its memory, it is *kept*: a new block takes its
//! place without a call into the kernel and without page faults. Then the memory is given back, and the run is *free*.
//! Runs of one kind that lie side by side are joined, and a run that is longer than a new block is split.

use super::by_size::RunsBySize;
use super::give_back::end_block;
use super::kept::{KeptRuns, now};
use super::{Large, give_back};
use crate::heap::ground::hardening::OnRelease;
use crate::heap::ground::{GRANULE, HeapRef, List, heap_limit};
use crate::heap::pages::huge::account_edges;
use crate::heap::pages::{Record, Span};
use crate::os::{Refused, process};
use core::ptr::NonNull;

/// The runs of one family that hold no live block.
#[derive(Debug)]
pub(in crate::heap) struct LargeRuns {
    pub(super) free: RunsBySize,
    pub(super) kept: KeptRuns,
    /// Records without address space.
    pub(super) retained: List<Large>,
    /// Bytes of the runs of live blocks.
    pub(super) live_bytes: usize,
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
            free: RunsBySize::new(),
            kept: KeptRuns::new(),
            retained: List::new(),
            live_bytes: 0,
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
        let run = match self.take_kept(bytes, align, ledger) {
            Some(kept) => kept,
            None => self.hold_more(heap, bytes, align, self.live_bytes, ledger)?,
        };
        let block = run.start_block(units).ok_or(Refused)?;
        self.live_bytes += run.bytes();
        run.guard(ledger.calls);
        Ok(block)
    }

    /// Takes a kept run that fits. The family holds its memory already.
    fn take_kept(
        &mut self,
        bytes: usize,
        align: usize,
        ledger: &mut Ledger<'_>,
    ) -> Option<&'static Large> {
        let run = self.kept.take(bytes, align, self.live_bytes)?;
        self.keep_rest(run, bytes, ledger);
        Some(run)
    }

    /// Cuts a kept run, which is on no list, down to `bytes` bytes, and keeps the rest.
    pub(super) fn keep_rest(&mut self, run: &'static Large, bytes: usize, ledger: &mut Ledger<'_>) {
        if let Some(rest) = self.cut(run, bytes, ledger) {
            rest.set_refused(run.refused());
            self.kept.add(rest, run.used());
        }
    }

    /// Takes a run whose memory the family does not hold yet, if the limit of the heap admits it. Live blocks use `live`
    /// bytes meanwhile.
    pub(super) fn hold_more(
        &mut self,
        heap: HeapRef,
        bytes: usize,
        align: usize,
        live: usize,
        ledger: &mut Ledger<'_>,
    ) -> Result<&'static Large, Refused> {
        heap_limit::hold(bytes)?;
        self.kept.account_missed(bytes, live);
        let run = match self.take_free(bytes, align, ledger) {
            Some(free) => free,
            None => {
                let made = self.make(heap, bytes, align, ledger);
                made.inspect_err(|_| heap_limit::release(bytes))?
            }
        };
        // A run that could not be split is longer.
        heap_limit::hold_admitted(run.bytes() - bytes);
        Ok(run)
    }

    /// Takes a free run that fits.
    fn take_free(
        &mut self,
        bytes: usize,
        align: usize,
        ledger: &mut Ledger<'_>,
    ) -> Option<&'static Large> {
        let run = self.free.find(bytes, align)?;
        self.free.remove(run);
        self.free_rest(run, bytes, ledger);
        Some(run)
    }

    /// Cuts a free run, which is on no list, down to `bytes` bytes, and leaves the rest free.
    pub(super) fn free_rest(&mut self, run: &'static Large, bytes: usize, ledger: &mut Ledger<'_>) {
        let refused = run.refused();
        if let Some(rest) = self.cut(run, bytes, ledger) {
            // The refused memory may be in either of the two.
            self.add_free(rest, refused);
        }
    }

    /// Takes back the run of a released block.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a block, which nothing uses any more.
    pub(in crate::heap) unsafe fn release(&mut self, run: &'static Large, calls: &mut u64) {
        self.live_bytes -= run.bytes();
        // SAFETY: requirement 1 is that of `end_block`.
        let Some(place) = (unsafe { end_block(run, calls) }) else {
            return;
        };
        let now = now();
        self.keep(run, place, now);
        while self.kept.is_too_much(self.live_bytes, now) {
            self.kept.account_given_back(now);
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
        self.live_bytes -= run.bytes();
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

    /// Keeps the memory of a run, which is on no list, and joins it with the kept runs beside it.
    fn keep(&mut self, run: &'static Large, place: Span, now: u64) {
        let mut joined = (run, run.refused());
        let mut used = now;
        let [after, before] = give_back::neighbours(run, place);
        if let Some(after) = after.filter(|other| other.is_kept_whole()) {
            used = used.min(after.used());
            self.kept.remove(after);
            joined = self.absorb(joined, after, false);
        }
        if let Some(before) = before.filter(|other| other.is_kept_whole()) {
            used = used.min(before.used());
            self.kept.remove(before);
            joined = self.absorb(joined, before, true);
        }
        let (run, refused) = joined;
        run.set_refused(refused);
        self.kept.add(run, used);
    }

    /// Cuts a run, which is on no list, down to `bytes` bytes. Returns the run of the rest, if there is one: without
    /// memory for a record, the block gets the whole run.
    fn cut(
        &mut self,
        run: &'static Large,
        bytes: usize,
        ledger: &mut Ledger<'_>,
    ) -> Option<&'static Large> {
        let place = run.place().filter(|place| place.bytes > bytes)?;
        let rest = self.record(run.heap, ledger).ok()?;
        run.set_run(place.offset, bytes);
        rest.bind(Span {
            offset: place.offset + bytes,
            bytes: place.bytes - bytes,
            ..place
        });
        rest.set_huge(run.is_huge());
        share_edges(run, rest);
        Some(rest)
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
        run.bind(place);
        run.set_huge(ledger.is_untyped && place.begin_untyped(ledger.calls));
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
        run.set_free(refused);
        self.free.add(run);
    }
}

/// Counts the mappings of a run that was cut for both parts, since they may be in either. A mapping begins at a granule.
fn share_edges(run: &Large, rest: &Large) {
    let before = run.edges();
    let [first, second] = [run, rest].map(|part| before.min(part.bytes() / GRANULE + 1));
    account_edges(first + second, before);
    run.set_edges(first);
    rest.set_edges(second);
}
