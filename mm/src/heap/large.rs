//! Blocks larger than a VM page, each in a run of address space of its own.
//!
//! A released run stays with its family. The latest ones keep their memory, up to a few megabytes,
//! so that a program that allocates and releases the same large blocks over and over makes no
//! call into the kernel; older ones are given back, joined with given-back neighbours, and reused
//! by best fit.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use super::Heap;
use super::geometry::GRANULE;
use super::link::Link;
use super::meta;
use super::page::{Place, Record};
use crate::os::Refused;
use crate::os::arena::Arena;

/// Released runs keep their memory while they have no more than this many bytes together.
const MOST_KEPT: usize = 8 << 20;

/// The latest released run keeps its memory on its own up to this many bytes.
const LARGEST_KEPT: usize = 32 << 20;

/// A run of address space of one family. Changed only under the family's lock.
///
/// # Invariants
///
/// 1. The run `offset..offset + bytes` of `arena` belongs to `heap` alone, and is committed; while
///    `state` is not `SPARE`, every address in it leads to this record.
/// 2. Memory of a run that is `FREE` reads as zero.
#[derive(Debug)]
pub(super) struct Large {
    pub(super) heap: &'static Heap,
    arena: &'static Arena<Record, GRANULE>,
    offset: AtomicUsize,
    bytes: AtomicUsize,
    /// Units of the live block.
    units: AtomicUsize,
    state: AtomicU8,
    next: Link<Record>,
    pub(super) older: Link<Record>,
}

/// Holds a live block.
const LIVE: u8 = 0;
/// Released, memory given back, may be joined and split.
const FREE: u8 = 1;
/// Released, memory kept.
const KEPT: u8 = 2;
/// A record without address space, left over from joining.
const SPARE: u8 = 3;

/// A block's start, and whether its memory is known to be zero.
type Found = (NonNull<u8>, bool);

/// The runs of one family that hold no live block.
#[derive(Debug)]
pub(super) struct LargeRuns {
    free: Option<&'static Record>,
    /// Latest first.
    kept: Option<&'static Record>,
    kept_bytes: usize,
    spare: Option<&'static Record>,
}

impl Large {
    /// Address of the first byte.
    pub(super) fn address(&self) -> usize {
        self.place().address()
    }

    /// Bytes of address space.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Units of the live block, unless there is none.
    pub(super) fn live_units(&self) -> Option<usize> {
        (self.state() == LIVE).then(|| self.units.load(Relaxed))
    }

    /// Whether the run holds no block but keeps its memory.
    pub(super) fn is_kept(&self) -> bool {
        self.state() == KEPT
    }

    fn state(&self) -> u8 {
        self.state.load(Relaxed)
    }

    fn place(&self) -> Place {
        Place {
            arena: self.arena,
            offset: self.offset.load(Relaxed),
            bytes: self.bytes(),
        }
    }

    fn set_extent(&self, offset: usize, bytes: usize) {
        self.offset.store(offset, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    /// Whether a block of `bytes` at a multiple of `align` fits.
    fn fits(&self, bytes: usize, align: usize) -> bool {
        self.bytes() >= bytes && self.address().is_multiple_of(align)
    }

    fn start_block(&self, units: usize) -> NonNull<u8> {
        self.units.store(units, Relaxed);
        self.state.store(LIVE, Relaxed);
        self.place().at(0)
    }
}

impl LargeRuns {
    pub(super) const fn new() -> Self {
        Self {
            free: None,
            kept: None,
            kept_bytes: 0,
            spare: None,
        }
    }

    /// Makes a block of `units` units, which are `bytes` bytes.
    ///
    /// Hands new records to `made`.
    pub(super) fn alloc(
        &mut self,
        heap: &'static Heap,
        units: usize,
        bytes: usize,
        calls: &mut u64,
        made: &mut dyn FnMut(&'static Record),
    ) -> Result<Found, Refused> {
        let bytes = bytes.checked_next_multiple_of(GRANULE).ok_or(Refused)?;
        let align = heap.geometry().align().max(GRANULE);
        if let Some(record) = self.take_kept(bytes, align) {
            return Ok((as_large(record).start_block(units), false));
        }
        let record = match self.take_best(bytes, align) {
            Some(record) => self.split(record, bytes, made),
            None => self.make(heap, bytes, align, calls, made)?,
        };
        Ok((as_large(record).start_block(units), true))
    }

    /// Takes back the run of a released block.
    pub(super) fn release(&mut self, record: &'static Record, calls: &mut u64) {
        let large = as_large(record);
        large.state.store(KEPT, Relaxed);
        large.next.set(self.kept.replace(record));
        self.kept_bytes += large.bytes();
        while self.keeps_too_much() {
            self.give_back_oldest(calls);
        }
    }

    /// Gives the memory of all kept runs back; returns its bytes.
    pub(super) fn give_back_kept(&mut self, calls: &mut u64) -> usize {
        let mut given = 0;
        while self.kept.is_some() {
            given += self.give_back_oldest(calls);
        }
        given
    }

    fn keeps_too_much(&self) -> bool {
        let is_one = self
            .kept
            .is_some_and(|latest| as_large(latest).next.get().is_none());
        self.kept_bytes > if is_one { LARGEST_KEPT } else { MOST_KEPT }
    }

    /// Gives back the run that was released first; returns the bytes that the kernel took.
    fn give_back_oldest(&mut self, calls: &mut u64) -> usize {
        let Some(oldest) = list(self.kept).last() else {
            return 0;
        };
        self.remove_kept(oldest);
        let bytes = as_large(oldest).bytes();
        if self.give_back(oldest, calls) {
            bytes
        } else {
            0
        }
    }

    /// Takes the smallest kept run that fits a block of `bytes` closely.
    fn take_kept(&mut self, bytes: usize, align: usize) -> Option<&'static Record> {
        // A much larger run would hold memory that the block does not use.
        let most = bytes.saturating_add(bytes / 8);
        let close = |run: &&'static Record| {
            as_large(run).fits(bytes, align) && as_large(run).bytes() <= most
        };
        let best = list(self.kept)
            .filter(close)
            .min_by_key(|run| as_large(run).bytes())?;
        self.remove_kept(best);
        Some(best)
    }

    fn remove_kept(&mut self, record: &'static Record) {
        remove(&mut self.kept, record);
        self.kept_bytes -= as_large(record).bytes();
    }

    /// Takes the smallest free run that fits.
    fn take_best(&mut self, bytes: usize, align: usize) -> Option<&'static Record> {
        let fitting = list(self.free).filter(|run| as_large(run).fits(bytes, align));
        let best = fitting.min_by_key(|run| as_large(run).bytes())?;
        self.remove_free(best);
        Some(best)
    }

    /// Cuts a run down to `bytes`; the rest goes back to the free runs.
    fn split(
        &mut self,
        record: &'static Record,
        bytes: usize,
        made: &mut dyn FnMut(&'static Record),
    ) -> &'static Record {
        let large = as_large(record);
        let place = large.place();
        if place.bytes == bytes {
            return record;
        }
        let rest = Place {
            offset: place.offset + bytes,
            bytes: place.bytes - bytes,
            ..place
        };
        // Without memory for a record the block just gets the whole run.
        if let Ok(other) = self.record(large.heap, rest, made) {
            large.set_extent(place.offset, bytes);
            self.add_free(other);
        }
        record
    }

    fn make(
        &mut self,
        heap: &'static Heap,
        bytes: usize,
        align: usize,
        calls: &mut u64,
        made: &mut dyn FnMut(&'static Record),
    ) -> Result<&'static Record, Refused> {
        let place = Place::take(bytes, align, calls)?;
        self.record(heap, place, made)
    }

    /// Makes the record of a run, from a spare one if there is one.
    fn record(
        &mut self,
        heap: &'static Heap,
        place: Place,
        made: &mut dyn FnMut(&'static Record),
    ) -> Result<&'static Record, Refused> {
        let record = match self.take_spare(place) {
            Some(spare) => spare,
            None => {
                let record = meta::RECORDS.place(Record::Large(Large {
                    heap,
                    arena: place.arena,
                    offset: AtomicUsize::new(place.offset),
                    bytes: AtomicUsize::new(place.bytes),
                    units: AtomicUsize::new(0),
                    state: AtomicU8::new(FREE),
                    next: Link::none(),
                    older: Link::none(),
                }))?;
                made(record);
                record
            }
        };
        place.publish(record);
        Ok(record)
    }

    /// A spare record of the right arena, now that of `place`.
    fn take_spare(&mut self, place: Place) -> Option<&'static Record> {
        let record = self.spare?;
        let large = as_large(record);
        if !core::ptr::eq(large.arena, place.arena) {
            return None;
        }
        self.spare = large.next.get();
        large.set_extent(place.offset, place.bytes);
        large.state.store(FREE, Relaxed);
        Some(record)
    }

    /// Gives a run's memory back and joins it with free neighbours; false if the kernel refused.
    fn give_back(&mut self, record: &'static Record, calls: &mut u64) -> bool {
        let large = as_large(record);
        *calls += 1;
        // SAFETY: the run holds no live block, so nobody needs its contents.
        let answer = unsafe { large.place().discard(0, large.bytes()) };
        if answer.is_err() {
            clear(large);
        }
        let joined = self.join(record);
        self.add_free(joined);
        answer.is_ok()
    }

    /// Joins a run with the free runs before and after it.
    fn join(&mut self, record: &'static Record) -> &'static Record {
        let place = as_large(record).place();
        if let Some(after) = place.arena.record_at_offset(place.offset + place.bytes)
            && Self::is_free_of(after, record)
        {
            self.absorb(record, after);
        }
        let before = place.offset.checked_sub(1);
        if let Some(before) = before.and_then(|byte| place.arena.record_at_offset(byte))
            && Self::is_free_of(before, record)
        {
            self.absorb(before, record);
            self.remove_free(before);
            return before;
        }
        record
    }

    /// Whether `other` is a free run of the same family as `record`.
    fn is_free_of(other: &'static Record, record: &'static Record) -> bool {
        let Record::Large(large) = other else {
            return false;
        };
        core::ptr::eq(large.heap, as_large(record).heap) && large.state() == FREE
    }

    /// Makes the run of `after` a part of the run of `before`, which ends where it starts.
    fn absorb(&mut self, before: &'static Record, after: &'static Record) {
        let (first, second) = (as_large(before).place(), as_large(after).place());
        self.remove_free(after);
        as_large(before).set_extent(first.offset, first.bytes + second.bytes);
        second.publish(before);
        let spare = as_large(after);
        spare.state.store(SPARE, Relaxed);
        spare.set_extent(second.offset, 0);
        spare.next.set(self.spare.replace(after));
    }

    fn add_free(&mut self, record: &'static Record) {
        let large = as_large(record);
        large.state.store(FREE, Relaxed);
        large.next.set(self.free.replace(record));
    }

    fn remove_free(&mut self, record: &'static Record) {
        remove(&mut self.free, record);
    }
}

/// Clears what the kernel did not take back, so that invariant 2 holds all the same.
fn clear(large: &Large) {
    let place = large.place();
    // SAFETY: the run is committed, holds no live block, and is reached by nobody else.
    unsafe { place.at(0).write_bytes(0, place.bytes) };
}

fn list(head: Option<&'static Record>) -> impl Iterator<Item = &'static Record> {
    core::iter::successors(head, |record| as_large(record).next.get())
}

/// Takes a run off a list, if it is on it.
fn remove(head: &mut Option<&'static Record>, record: &'static Record) {
    let next = as_large(record).next.get();
    let is_it = |other: &'static Record| core::ptr::eq(other, record);
    if head.is_some_and(is_it) {
        *head = next;
        return;
    }
    let before = list(*head).find(|run| as_large(run).next.get().is_some_and(is_it));
    if let Some(before) = before {
        as_large(before).next.set(next);
    }
}

fn as_large(record: &Record) -> &Large {
    match record {
        Record::Large(large) => large,
        Record::Extent(_) => unreachable!("the lists of large runs hold large runs"),
    }
}
