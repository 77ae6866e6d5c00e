//! New extents, and the page from which a family takes its next unit.

use super::Central;
use crate::heap::family::Heap;
use crate::heap::ground::{EXTENT, heap_limit};
use crate::heap::pages::{Extent, Page, Record, Span};
use crate::os::Refused;

impl Central {
    /// A page with a free unit in a word without an owner.
    pub(super) fn page_to_fill(&mut self, heap: &'static Heap) -> Result<Page, Refused> {
        if let Some(page) = self
            .fullness_lists
            .with_room()
            .find_map(Extent::page_to_fill)
        {
            return Ok(page);
        }
        match self.grow(heap) {
            Ok(extent) => extent.page_to_fill(),
            Err(Refused) => {
                self.take_back(heap);
                self.fullness_lists
                    .with_room()
                    .find_map(Extent::page_to_fill)
            }
        }
        .ok_or(Refused)
    }

    /// Adds an extent of VM pages: twice as many as the last, up to a huge OS page.
    pub(in crate::heap) fn grow(
        &mut self,
        heap: &'static Heap,
    ) -> Result<&'static Extent, Refused> {
        let page_bytes = heap.geometry().page_bytes();
        let pages = self.next_extent_pages.min(EXTENT / page_bytes);
        let record = match self.make_extent(heap, pages) {
            // If there was address space but no memory for its record, asking for less address space does not
            // help.
            Err(Refused) if self.unrecorded.is_none() => self.make_extent(heap, 1)?,
            answer => answer?,
        };
        Ok(self.add_extent(record))
    }

    /// Adds an extent in the range of sampled blocks: twice as many VM pages as the last there, up to a huge OS
    /// page.
    pub(in crate::heap) fn grow_sampled(&mut self, heap: &'static Heap) -> Result<(), Refused> {
        let page_bytes = heap.geometry().page_bytes();
        let bytes = self.next_sampled_pages.min(EXTENT / page_bytes) * page_bytes;
        let left = self.unrecorded_sampled.as_ref();
        let bytes = left.map_or(bytes, |left| left.bytes);
        heap_limit::hold(bytes)?;
        let made = self.make_held_sampled_extent(heap, bytes);
        let record = made.inspect_err(|_| heap_limit::release(bytes))?;
        self.add_extent(record);
        self.next_sampled_pages = bytes / page_bytes * 2;
        Ok(())
    }

    /// Makes an extent of `bytes` bytes of sampled blocks, which the limit of the heap admitted.
    fn make_held_sampled_extent(
        &mut self,
        heap: &'static Heap,
        bytes: usize,
    ) -> Result<&'static Record, Refused> {
        let place = match self.unrecorded_sampled.take() {
            Some(left) => left,
            None => Span::take_sampled(bytes, bytes, &mut self.account.kernel_calls)?,
        };
        // SAFETY: `take_sampled` committed the place, and no record leads to it: it is new, or `make_extent_at` could
        // make none of it.
        unsafe { place.begin_extent(self.extent_bytes, &mut self.account.kernel_calls) }?;
        let record = self.make_extent_at(heap, place);
        record.inspect_err(|_| self.unrecorded_sampled = Some(place))
    }

    fn add_extent(&mut self, record: &'static Record) -> &'static Extent {
        record.push(&mut self.newest);
        match record {
            Record::Extent(extent) => {
                self.fullness_lists.account_changed(extent);
                self.runs.account_changed(extent);
                extent
            }
            Record::Large(_) => unreachable!("an extent was made"),
        }
    }

    fn make_extent(
        &mut self,
        heap: &'static Heap,
        pages: usize,
    ) -> Result<&'static Record, Refused> {
        let bytes = pages * heap.geometry().page_bytes();
        let bytes = self.unrecorded.as_ref().map_or(bytes, |left| left.bytes);
        heap_limit::hold(bytes)?;
        let made = self.make_held_extent(heap, bytes);
        made.inspect_err(|_| heap_limit::release(bytes))
    }

    /// Makes an extent of `bytes` bytes, which the limit of the heap admitted.
    fn make_held_extent(
        &mut self,
        heap: &'static Heap,
        bytes: usize,
    ) -> Result<&'static Record, Refused> {
        let place = self.place_for(bytes)?;
        // SAFETY: `place_for` gives address space that was committed when it was taken and that no record
        // leads to: it is new, or no record could be made of it.
        unsafe { place.begin_extent(self.extent_bytes, &mut self.account.kernel_calls) }?;
        let record = self.make_extent_at(heap, place);
        let record = record.inspect_err(|_| self.unrecorded = Some(place))?;
        self.next_extent_pages = place.bytes / heap.geometry().page_bytes() * 2;
        Ok(record)
    }

    /// Makes an extent of the address space at `place`.
    fn make_extent_at(
        &mut self,
        heap: &'static Heap,
        place: Span,
    ) -> Result<&'static Record, Refused> {
        let record = Extent::make(heap.reference(), place, |extent| heap.make_hints(extent))?;
        self.extent_bytes += place.bytes;
        if let Record::Extent(extent) = record {
            extent.begin_wish(
                self.extent_bytes,
                heap.is_untyped(),
                &mut self.account.kernel_calls,
            );
            extent.guard(&mut self.account.kernel_calls);
        }
        Ok(record)
    }

    /// Address space for an extent: what an earlier try left, otherwise new.
    fn place_for(&mut self, bytes: usize) -> Result<Span, Refused> {
        match self.unrecorded.take() {
            Some(left) => Ok(left),
            None => Span::take(bytes, bytes, &mut self.account.kernel_calls),
        }
    }
}
