//! Blocks larger than a VM page. Each has a run of address space of its own.

mod by_size;
mod give_back;
mod kept;
mod lengthen;
mod pieces;
mod relocate;
mod runs;

pub(in crate::heap) use runs::{LargeRuns, Ledger};

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize};

use crate::heap::ground::{HeapRef, Link, Neighbours, Node, meta};
use crate::heap::pages::samples::SampleRecord;
use crate::heap::pages::{Record, Span};
use crate::heap::tracking::Tag;
use crate::os::arena::Arena;
use crate::os::{Guard, PageSource, Refused, System};
use pieces::Pieces;

/// A run of address space of one family. The family's lock guards it.
///
/// # Invariants
///
/// 1. Unless `state` is `UNBOUND` or `GONE`, the run `offset..offset + bytes` of `arena` belongs to `heap` alone, is
///    committed, and every address in it leads to this record.
/// 2. The memory of a run that is `FREE` and of which nothing is `refused` reads as zero.
/// 3. A run that is `FREE`, `KEPT` or `UNBOUND` is on the lists of that state, and on no other. A run in another
///    state is on no list. A method of `LargeRuns` may take a run off its list before it changes the state.
/// 4. Unless `guard` is `NO_GUARD`, the kernel accepted a guard from the end of the block, as `behind_block`
///    gives it, to the end of the run, and `guard` says how; and the run is `LIVE` or `LOST`.
/// 5. `edges` is a part of what `huge` counts, and 0 if the run is `FREE` or `UNBOUND`. It is at least the number of
///    mappings by which moves raised that of the process.
#[derive(Debug)]
pub(in crate::heap) struct Large {
    pub(in crate::heap) heap: HeapRef,
    arena: Link<Arena>,
    offset: AtomicUsize,
    bytes: AtomicUsize,
    /// Units of the live block.
    units: AtomicUsize,
    state: AtomicU8,
    /// Bytes that the kernel refused to take back the last time, at least. The number stays while the run is
    /// used, since locked memory usually stays locked.
    refused: AtomicUsize,
    /// The kind of the guard behind the live block: one of the constants below.
    guard: AtomicU8,
    /// The tag of the live block.
    pub(in crate::heap) tag: Tag,
    /// The sample of the live block.
    pub(in crate::heap) sample: SampleRecord,
    /// Mappings of the kernel that the run takes because memory was moved to it.
    edges: AtomicUsize,
    /// The moved parts of the live block.
    pieces: Pieces,
    /// Whether a part of the address space asked for huge OS pages when it was new.
    is_huge: AtomicBool,
    by_state: Neighbours<Large>,
    by_age: Neighbours<Large>,
    /// While the run is kept, when its memory was last used, in milliseconds: the earliest moment of its parts.
    used: AtomicU64,
    own: Link<Record>,
    pub(in crate::heap) older: Link<Record>,
}

/// The run holds a live block.
const LIVE: u8 = 0;
/// The block was released and its memory given back.
const FREE: u8 = 1;
/// The block was released, and its memory kept.
const KEPT: u8 = 2;
/// The record has no address space.
const UNBOUND: u8 = 3;
/// The block was released, but its guard could not be removed. The run is never used again.
const LOST: u8 = 4;
/// The kernel may have given the address space to another user. The run is never used again.
const GONE: u8 = 5;

const NO_GUARD: u8 = 0;
const MARKS: u8 = 1;
const MAPPINGS: u8 = 2;

impl Node for Large {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.by_state
    }
}

impl Large {
    /// Makes a record without address space, and calls `made` with it.
    pub(in crate::heap) fn make(
        heap: HeapRef,
        made: &mut dyn FnMut(&'static Record),
    ) -> Result<&'static Self, Refused> {
        let record = meta::RECORDS.place(Record::Large(Self {
            heap,
            arena: Link::none(),
            offset: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            units: AtomicUsize::new(0),
            state: AtomicU8::new(UNBOUND),
            refused: AtomicUsize::new(0),
            guard: AtomicU8::new(NO_GUARD),
            tag: Tag::none(),
            sample: SampleRecord::none(),
            edges: AtomicUsize::new(0),
            pieces: Pieces::none(),
            is_huge: AtomicBool::new(false),
            by_state: Neighbours::none(),
            by_age: Neighbours::none(),
            used: AtomicU64::new(0),
            own: Link::none(),
            older: Link::none(),
        }))?;
        let Record::Large(large) = record else {
            return Err(Refused);
        };
        large.own.set(Some(record));
        made(record);
        Ok(large)
    }

    /// Gives the record the address space at `place`, without a block.
    pub(in crate::heap) fn bind(&self, place: Span) {
        self.arena.set(Some(place.arena));
        self.set_run(place.offset, place.bytes);
        if let Some(own) = self.own.get() {
            place.publish(own);
        }
    }

    /// Adds the run that follows this one.
    pub(in crate::heap) fn extend(&self, tail: Span) {
        self.bytes.store(self.bytes() + tail.bytes, Relaxed);
        if let Some(own) = self.own.get() {
            tail.publish(own);
        }
    }

    /// Takes the record's address space away, because another record has it now.
    pub(in crate::heap) fn unbind(&self) {
        self.state.store(UNBOUND, Relaxed);
        self.set_run(0, 0);
    }

    /// Starts a block of `units` units in the run. Returns its first byte, and whether its memory is known to
    /// be zero.
    pub(in crate::heap) fn start_block(&self, units: usize) -> Option<(NonNull<u8>, bool)> {
        let zero = self.state() == FREE && !self.is_dirty();
        self.units.store(units, Relaxed);
        self.pieces.clear();
        self.state.store(LIVE, Relaxed);
        Some((self.place()?.at(0), zero))
    }

    /// The run's address space, unless the record has none.
    pub(in crate::heap) fn place(&self) -> Option<Span> {
        Some(Span {
            arena: self.arena.get()?,
            offset: self.offset.load(Relaxed),
            bytes: self.bytes(),
        })
    }

    /// Bytes of address space.
    pub(in crate::heap) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Units of the live block, unless there is none.
    pub(in crate::heap) fn live_units(&self) -> Option<usize> {
        (self.state() == LIVE).then(|| self.units.load(Relaxed))
    }

    /// Sets the length of the live block, for which the run has room.
    pub(in crate::heap) fn set_units(&self, units: usize) {
        self.units.store(units, Relaxed);
    }

    /// Whether a block of `units` units starts at `address`.
    pub(in crate::heap) fn is_block(&self, address: usize, units: usize) -> bool {
        self.live_units() == Some(units) && self.starts_at(address)
    }

    /// Whether the run starts at `address`.
    pub(in crate::heap) fn starts_at(&self, address: usize) -> bool {
        self.place().is_some_and(|place| place.address() == address)
    }

    /// Whether the run holds no block, but memory may back it.
    pub(in crate::heap) fn is_kept(&self) -> bool {
        self.state() == KEPT || self.state() == FREE && self.is_dirty()
    }

    /// Whether memory of the family may back the run.
    pub(in crate::heap) fn may_have_memory(&self) -> bool {
        match self.state() {
            FREE => self.is_dirty(),
            state => state != GONE,
        }
    }

    /// Whether the run holds no block, and its memory was given back.
    pub(in crate::heap) fn is_free(&self) -> bool {
        self.state() == FREE
    }

    /// Whether the run holds no block, and the family keeps its memory.
    fn is_kept_whole(&self) -> bool {
        self.state() == KEPT
    }

    /// Notes that the block is released and its memory kept, which was last used at the moment `used`.
    fn keep(&self, used: u64) {
        self.used.store(used, Relaxed);
        self.state.store(KEPT, Relaxed);
    }

    /// When the memory of a kept run was last used, in milliseconds.
    fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Notes how many bytes the kernel refused to take back the last time.
    fn set_refused(&self, refused: usize) {
        self.refused.store(refused, Relaxed);
    }

    /// Notes that the block is released and its memory given back, except `refused` bytes.
    pub(in crate::heap) fn set_free(&self, refused: usize) {
        self.refused.store(refused.min(self.bytes()), Relaxed);
        self.state.store(FREE, Relaxed);
    }

    /// Notes that the block is released and the run cannot hold another.
    pub(in crate::heap) fn lose(&self) {
        self.state.store(LOST, Relaxed);
    }

    /// Notes that the run, which holds no block, may have another user.
    fn give_up(&self) {
        self.state.store(GONE, Relaxed);
    }

    /// Mappings that the run takes because memory was moved to it, at least.
    fn edges(&self) -> usize {
        self.edges.load(Relaxed)
    }

    fn set_edges(&self, edges: usize) {
        self.edges.store(edges, Relaxed);
    }

    /// Whether a part of the address space asked for huge OS pages when it was new.
    fn is_huge(&self) -> bool {
        self.is_huge.load(Relaxed)
    }

    fn set_huge(&self, is_huge: bool) {
        self.is_huge.store(is_huge, Relaxed);
    }

    /// The kind of the guard behind the live block, if there is one.
    pub(in crate::heap) fn known_guard(&self) -> Option<Guard> {
        match self.guard.load(Relaxed) {
            MARKS => Some(Guard::Marks),
            MAPPINGS => Some(Guard::Mappings),
            _ => None,
        }
    }

    pub(in crate::heap) fn set_guard(&self, guard: Option<Guard>) {
        let guard = match guard {
            None => NO_GUARD,
            Some(Guard::Marks) => MARKS,
            Some(Guard::Mappings) => MAPPINGS,
        };
        self.guard.store(guard, Relaxed);
    }

    /// The run's address space, and the offset of the first OS page behind the live block.
    pub(in crate::heap) fn behind_block(&self) -> Option<(Span, usize)> {
        let place = self.place()?;
        let bytes = self.live_units()? * self.heap.geometry().unit();
        let offset = bytes.next_multiple_of(System::page_bytes());
        (offset < place.bytes).then_some((place, offset))
    }

    /// Whether the kernel refused to take some of the memory back.
    pub(in crate::heap) fn is_dirty(&self) -> bool {
        self.refused() > 0
    }

    /// Bytes of memory that the kernel refused to take back, at most.
    pub(in crate::heap) fn refused(&self) -> usize {
        self.refused.load(Relaxed).min(self.bytes())
    }

    /// Bytes of a run without a block that would go back to the kernel, without those that it refused the last
    /// time.
    pub(in crate::heap) fn reclaimable(&self) -> usize {
        if self.state() == KEPT {
            self.bytes() - self.refused()
        } else {
            0
        }
    }

    /// Whether a block of `bytes` bytes, at a multiple of `align`, fits.
    pub(in crate::heap) fn fits(&self, bytes: usize, align: usize) -> bool {
        let aligned = |place: Span| place.address().is_multiple_of(align);
        self.bytes() >= bytes && self.place().is_some_and(aligned)
    }

    pub(in crate::heap) fn set_run(&self, offset: usize, bytes: usize) {
        self.offset.store(offset, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }

    fn state(&self) -> u8 {
        self.state.load(Relaxed)
    }
}
