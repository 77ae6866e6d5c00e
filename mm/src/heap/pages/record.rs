//! What every address leads to, and the runs of address space that records are of.

use core::ptr::NonNull;

use super::extent::Extent;
use super::word::Word;
use crate::heap::ground::{HeapRef, Link};
use crate::heap::pages::large::Large;
use crate::os::address_space::AddressSpace;
use crate::os::arena::{Arena, GRANULE};
use crate::os::{Guard, PageSource, Refused, System, annotate};

/// All address space of all families.
pub(in crate::heap) static SPACE: AddressSpace<Record, Word> = AddressSpace::new();

/// What an address leads to.
#[derive(Debug)]
pub(in crate::heap) enum Record {
    /// VM pages of many units.
    Extent(Extent),
    /// One block in address space of its own, or what such a block left behind.
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

    /// Bytes of the run from an offset of its arena on, and whether memory may back them.
    pub(in crate::heap) fn in_use_from(&self, offset: usize) -> (usize, bool) {
        let (place, in_use) = match self {
            Self::Extent(extent) => (Some(extent.place), extent.is_in_use()),
            Self::Large(large) => (large.place(), !large.is_free() || large.is_dirty()),
        };
        let end = place.map_or(0, |place| place.offset + place.bytes);
        (end.saturating_sub(offset), in_use)
    }

    /// Adds the new record to those of its family.
    pub(in crate::heap) fn push(&'static self, newest: &mut Option<&'static Self>) {
        self.older().set(newest.replace(self));
    }

    /// The record that its family made before this one.
    pub(in crate::heap) fn older(&self) -> &Link<Self> {
        match self {
            Self::Extent(extent) => &extent.older,
            Self::Large(large) => &large.older,
        }
    }
}

/// A run of an arena.
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
        let (arena, offset) = SPACE.take(bytes, align, calls)?;
        let place = Self {
            arena,
            offset,
            bytes,
        };
        place.begin_wish(calls);
        annotate::keep(place.at(0), bytes);
        Ok(place)
    }

    /// Address of the first byte.
    pub(in crate::heap) fn address(&self) -> usize {
        self.arena.space().address() + self.offset
    }

    /// Pointer to the byte `offset` bytes in.
    pub(in crate::heap) fn at(&self, offset: usize) -> NonNull<u8> {
        self.arena.space().at(self.offset + offset)
    }

    /// Makes `record` what every address of the run leads to.
    pub(in crate::heap) fn publish(&self, record: &'static Record) {
        SPACE.set_records(self.address(), self.bytes, record);
    }

    /// Makes some of the run's OS pages inaccessible.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the run, and committed.
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

    /// Makes them accessible again.
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

    /// Gives the memory of some of the run's OS pages back; on success it reads as zero.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the run, and committed.
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

    /// Gives the memory of some of the run's OS pages back, in parts if the kernel refuses it as a
    /// whole: it does so for one locked page. Returns the bytes of the parts that it refused; the
    /// others read as zero.
    ///
    /// # Safety
    ///
    /// 1. The `bytes` bytes from `offset` are part of the run, and committed.
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
        // Halves, so that what is not locked goes in few calls; of whole OS pages.
        let half = (bytes / 2).next_multiple_of(GRANULE);
        // SAFETY: requirements 1 and 2 hold for all of the bytes, and so for the first half.
        let refused = unsafe { self.discard_parts(offset, half, calls) };
        // SAFETY: requirements 1 and 2 hold for all of the bytes, and so for what is behind the first half.
        refused + unsafe { self.discard_parts(offset + half, bytes - half, calls) }
    }

    /// Has the place backed by small OS pages at first; if that is refused, it can no longer be used.
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

    /// Asks for huge OS pages, or for none any more.
    pub(in crate::heap) fn prefer_huge(&self, wanted: bool) {
        let end = self.offset + self.bytes;
        self.arena.space().prefer_huge(self.offset..end, wanted);
    }
}
