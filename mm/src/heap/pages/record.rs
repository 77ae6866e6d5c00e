//! The table from addresses to records, and the address space of records.

use core::ptr::NonNull;

use super::extent::Extent;
use super::word::Word;
use crate::heap::ground::{HeapRef, Link};
use crate::heap::pages::large::Large;
use crate::os::address_space::AddressSpace;
use crate::os::arena::{Arena, GRANULE};
use crate::os::{Guard, PageSource, Refused, System, Unmoved, annotate};

/// All address space of all families.
pub(in crate::heap) static SPACE: AddressSpace<Record, Word> = AddressSpace::new();

/// What an address leads to.
#[derive(Debug)]
pub(in crate::heap) enum Record {
    /// VM pages of many units.
    Extent(Extent),
    /// Address space for one block: the block is live, or was released.
    Large(Large),
}

impl Record {
    /// The family that the address space belongs to, for ever.
    pub(in crate::heap) fn heap(&self) -> HeapRef {
        match self {
            Self::Extent(extent) => extent.heap,
            Self::Large(large) => large.heap,
        }
    }

    /// Bytes from an offset of the arena to the end of this record's address space, and whether memory may back
    /// them.
    pub(in crate::heap) fn in_use_from(&self, offset: usize) -> (usize, bool) {
        let (place, in_use) = match self {
            Self::Extent(extent) => (Some(extent.place), extent.is_in_use()),
            Self::Large(large) => (large.place(), large.may_have_memory()),
        };
        let end = place.map_or(0, |place| place.offset + place.bytes);
        (end.saturating_sub(offset), in_use)
    }

    /// Adds the new record to those of its family.
    pub(in crate::heap) fn push(&'static self, newest: &mut Option<&'static Self>) {
        self.older().set(newest.replace(self));
    }

    /// The record that the family made before this one.
    pub(in crate::heap) fn older(&self) -> &Link<Self> {
        match self {
            Self::Extent(extent) => &extent.older,
            Self::Large(large) => &large.older,
        }
    }
}

/// A part of an arena.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Span {
    pub(in crate::heap) arena: &'static Arena,
    pub(in crate::heap) offset: usize,
    pub(in crate::heap) bytes: usize,
}

impl Span {
    /// Takes address space that was never used.
    pub(in crate::heap) fn take(
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<Self, Refused> {
        let taken = SPACE.take(bytes, align, calls)?;
        Ok(Self::begin(taken, bytes, calls))
    }

    /// Takes address space that was never used, in the range of sampled blocks.
    pub(in crate::heap) fn take_sampled(
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<Self, Refused> {
        let taken = SPACE.take_in_range(bytes, align, calls)?;
        Ok(Self::begin(taken, bytes, calls))
    }

    fn begin((arena, offset): (&'static Arena, usize), bytes: usize, calls: &mut u64) -> Self {
        let place = Self {
            arena,
            offset,
            bytes,
        };
        place.begin_wish(calls);
        annotate::keep(place.at(0), bytes);
        place
    }

    /// Address of the first byte.
    pub(in crate::heap) fn address(&self) -> usize {
        self.arena.space().address() + self.offset
    }

    /// Pointer to the byte at `offset`.
    pub(in crate::heap) fn at(&self, offset: usize) -> NonNull<u8> {
        self.arena.space().at(self.offset + offset)
    }

    /// Makes every address of the span lead to `record`.
    pub(in crate::heap) fn publish(&self, record: &'static Record) {
        SPACE.set_records(self.address(), self.bytes, record);
    }

    /// Makes OS pages of the span inaccessible.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the span, and committed.
    /// 2. Nothing needs their contents.
    pub(in crate::heap) unsafe fn guard(
        &self,
        offset: usize,
        bytes: usize,
    ) -> Result<Guard, Refused> {
        let from = self.offset + offset;
        // SAFETY: requirements 1 and 2 are those of `Mapping::guard` for the same bytes.
        unsafe { self.arena.space().guard(from..from + bytes) }
    }

    /// Makes guarded OS pages accessible again.
    ///
    /// # Safety
    ///
    /// 1. [`guard`](Self::guard) accepted the same bytes, and `how` is what it answered.
    pub(in crate::heap) unsafe fn unguard(
        &self,
        offset: usize,
        bytes: usize,
        how: Guard,
    ) -> Result<(), Refused> {
        let from = self.offset + offset;
        // SAFETY: requirement 1 is that of `Mapping::unguard` for the same bytes.
        unsafe { self.arena.space().unguard(from..from + bytes, how) }?;
        annotate::keep(self.at(offset), bytes);
        Ok(())
    }

    /// Gives the memory of OS pages of the span back. On success it reads as zero.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the span, and committed.
    /// 2. Nothing needs their contents.
    pub(in crate::heap) unsafe fn discard(
        &self,
        offset: usize,
        bytes: usize,
    ) -> Result<(), Refused> {
        let from = self.offset + offset;
        // SAFETY: requirements 1 and 2 are those of `Mapping::discard` for the same bytes.
        unsafe { self.arena.space().discard(from..from + bytes) }
    }

    /// Gives the memory of OS pages of the span back. If the kernel refuses the whole, as it does because of
    /// one locked page, this tries parts. Returns the bytes of the parts that the kernel refused; the others
    /// read as zero.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the span, and committed.
    /// 2. Nothing needs their contents.
    pub(in crate::heap) unsafe fn discard_parts(
        &self,
        offset: usize,
        bytes: usize,
        calls: &mut u64,
    ) -> usize {
        *calls += 1;
        // SAFETY: requirements 1 and 2 are those of `discard`, for the same bytes.
        if unsafe { self.discard(offset, bytes) }.is_ok() {
            return 0;
        }
        if bytes <= GRANULE || !System::can_discard() {
            return bytes;
        }
        // Halves of whole OS pages, so that memory without locked pages goes back in few calls.
        let half = (bytes / 2).next_multiple_of(GRANULE);
        // SAFETY: requirements 1 and 2 hold for all of the bytes, and so for the first half.
        let refused = unsafe { self.discard_parts(offset, half, calls) };
        // SAFETY: requirements 1 and 2 hold for all of the bytes, and so for what is behind the first half.
        refused + unsafe { self.discard_parts(offset + half, bytes - half, calls) }
    }

    /// Whether the memory of OS pages of the span can be moved.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the span, and committed.
    pub(in crate::heap) unsafe fn can_relocate(&self, offset: usize, bytes: usize) -> bool {
        let from = self.offset + offset;
        // SAFETY: requirement 1 is that of `Mapping::can_relocate` for the same bytes.
        unsafe { self.arena.space().can_relocate(from..from + bytes) }
    }

    /// Moves the memory of OS pages of the span to the same offset of another span. On success they read as zero.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of both spans, committed, and do not overlap.
    /// 2. No other code uses those of this span meanwhile, and nothing needs what is in the other one.
    pub(in crate::heap) unsafe fn relocate(
        &self,
        offset: usize,
        bytes: usize,
        to: &Self,
    ) -> Result<(), Unmoved> {
        let from = self.offset + offset;
        let (space, target) = (self.arena.space(), to.arena.space());
        // SAFETY: requirements 1 and 2 are those of `Mapping::relocate` for the same bytes.
        unsafe { space.relocate(from..from + bytes, target, to.offset + offset) }
    }

    /// Makes the span one new mapping, which reads as zero. On failure the place can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The place is committed.
    /// 2. Nothing needs its contents.
    pub(in crate::heap) unsafe fn renew(&self) -> Result<(), Refused> {
        let end = self.offset + self.bytes;
        // SAFETY: requirements 1 and 2 are those of `Mapping::renew` for the whole run.
        unsafe { self.arena.space().renew(self.offset..end) }
    }

    /// Makes small OS pages back the place at first. On failure the place can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The place is committed.
    /// 2. Nothing needs its contents.
    pub(in crate::heap) unsafe fn begin_small(&self) -> Result<(), Refused> {
        let end = self.offset + self.bytes;
        // SAFETY: requirements 1 and 2 are those of `Mapping::begin_small` for the whole run.
        unsafe { self.arena.space().begin_small(self.offset..end) }
    }

    /// Asks for huge OS pages if `wanted`, otherwise for small ones.
    pub(in crate::heap) fn prefer_huge(&self, wanted: bool) {
        let end = self.offset + self.bytes;
        self.arena.space().prefer_huge(self.offset..end, wanted);
    }
}
