//! Memory for maps, records and tables. It is cut from the front of chunks, and never taken back.
//!
//! No record shares an OS page with memory of the program, and none comes from the global allocator. A record
//! lives as long as the process, so plain `&'static` references lead to it.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::huge;
use crate::os::{Lock, Look, Mapping, MutexGuard, PageSource, Refused, System, reserve_some};

/// Bytes of a chunk. A larger record needs more; the kernel may give less.
const CHUNK: usize = 1 << 20;

/// Memory for records and for the maps of taken units. Nearly all of it is used.
pub(crate) static RECORDS: Region = Region::new();

/// Memory for maps that join units to blocks. While a family has only blocks of one unit, its maps stay zero,
/// so the kernel backs them with no memory.
pub(crate) static SPARSE: Region = Region::new();

/// Chunks that are filled one after the other.
#[derive(Debug)]
pub(crate) struct Region {
    filling: Lock<Filling>,
}

/// The newest chunk and its used bytes.
#[derive(Debug)]
struct Filling {
    newest: Option<&'static Chunk>,
    used: usize,
}

/// The head of a chunk, at the chunk's start.
///
/// # Invariants
///
/// 1. `mapping` is committed, and stays so for ever.
#[derive(Debug)]
struct Chunk {
    mapping: Mapping,
    older: Option<&'static Chunk>,
}

impl Region {
    const fn new() -> Self {
        Self {
            filling: Lock::new(Filling {
                newest: None,
                used: 0,
            }),
        }
    }

    /// Moves `value` into the region.
    pub(crate) fn place<T: Sync>(&self, value: T) -> Result<&'static T, Refused> {
        let room = self.room(Layout::new::<T>())?.cast::<T>();
        // SAFETY: `room` returned memory of this layout that was never used and that nothing else has.
        unsafe { room.write(value) };
        // SAFETY: `write` put the value there, which nothing moves or drops, since `room` hands out no
        // memory twice.
        Ok(unsafe { room.as_ref() })
    }

    /// Makes `count` values of zero bytes.
    pub(crate) fn zeroed<T: bytemuck::Zeroable + Sync>(
        &self,
        count: usize,
    ) -> Result<&'static [T], Refused> {
        let layout = Layout::array::<T>(count).map_err(|_| Refused)?;
        let first = self.room(layout)?.cast::<T>();
        let all = NonNull::slice_from_raw_parts(first, count);
        // SAFETY: the memory is never used, so it reads as zero, which is a value of `T`, and it is
        // reached through this reference alone.
        Ok(unsafe { all.as_ref() })
    }

    /// Copies a text into the region.
    pub(crate) fn text(&self, text: &str) -> Result<&'static str, Refused> {
        let bytes = self.copied(text.as_bytes())?;
        // SAFETY: they are those of a `str`.
        Ok(unsafe { core::str::from_utf8_unchecked(bytes) })
    }

    /// Copies values into the region.
    pub(crate) fn copied<T: Copy + Sync>(&self, values: &[T]) -> Result<&'static [T], Refused> {
        let room = self.room(Layout::for_value(values))?.cast::<T>();
        // SAFETY: `room` returned memory that was never used, as long as the values and aligned for them.
        unsafe { room.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len()) };
        let copies = NonNull::slice_from_raw_parts(room, values.len());
        // SAFETY: `copy_from_nonoverlapping` put the values there, and nothing writes there again.
        Ok(unsafe { copies.as_ref() })
    }

    /// Gives the memory of values back to the kernel, as far as they fill OS pages; there they are of zero
    /// bytes afterwards. If the kernel refuses, some or all values stay as they were.
    ///
    /// # Safety
    ///
    /// 1. [`zeroed`](Self::zeroed) of this region made the values.
    /// 2. Nothing needs them, and nothing uses them meanwhile.
    pub(crate) unsafe fn discard<T: bytemuck::Zeroable + Sync>(&self, values: &'static [T]) {
        let start = values.as_ptr().addr();
        let end = start + size_of_val(values);
        let mut chunks = self.chunks();
        let Some(chunk) = chunks.find(|chunk| chunk.holds(start)) else {
            return;
        };
        let page = System::page_bytes();
        let from = start.next_multiple_of(page);
        let until = end - end % page;
        if from < until {
            let base = chunk.mapping.address();
            // SAFETY: invariant 1 of `Chunk`: it is committed. The OS pages lie between the first value and
            // the last, which by requirements 1 and 2 are this region's, and which nothing needs.
            let _ = unsafe { chunk.mapping.discard(from - base..until - base) };
        }
    }

    /// Resident bytes of all chunks.
    pub(crate) fn resident(&self, look: &Look) -> Result<usize, Refused> {
        self.chunks().try_fold(0, |all, chunk| {
            let mapping = &chunk.mapping;
            Ok(all + mapping.resident(look, 0..mapping.bytes())?)
        })
    }

    /// Bytes of address space of all chunks.
    #[cfg(test)]
    pub(crate) fn reserved(&self) -> usize {
        self.chunks().map(|chunk| chunk.mapping.bytes()).sum()
    }

    /// Takes the lock before a fork.
    pub(crate) fn lock_for_fork(&'static self) {
        self.filling.lock_for_fork();
    }

    /// Releases the lock that [`lock_for_fork`](Self::lock_for_fork) took.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called [`lock_for_fork`](Self::lock_for_fork) before, or is the copy in a child of
    ///    the one that did.
    pub(crate) unsafe fn unlock_after_fork(&'static self) {
        // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked
        // `filling`.
        unsafe { self.filling.unlock_after_fork() };
    }

    fn chunks(&self) -> impl Iterator<Item = &'static Chunk> + use<> {
        let newest = self.filling().newest;
        core::iter::successors(newest, |chunk| chunk.older)
    }

    /// Cuts zeroed memory of `layout` from a chunk.
    fn room(&self, layout: Layout) -> Result<NonNull<u8>, Refused> {
        let mut filling = self.filling();
        if let Some(room) = filling.cut(layout) {
            return Ok(room);
        }
        filling.start_chunk(layout)?;
        filling.cut(layout).ok_or(Refused)
    }

    fn filling(&self) -> MutexGuard<'_, Filling> {
        self.filling.lock()
    }
}

impl Filling {
    fn cut(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let chunk = self.newest?;
        let start = self.used.checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > chunk.mapping.bytes() {
            return None;
        }
        self.used = end;
        Some(chunk.mapping.at(start))
    }

    fn start_chunk(&mut self, layout: Layout) -> Result<(), Refused> {
        let head = size_of::<Chunk>() + layout.align();
        let bytes = layout.size().checked_add(head).ok_or(Refused)?;
        let mapping = reserve_some(bytes.max(CHUNK), bytes, |bytes| {
            let mapping = Mapping::reserve(bytes, 1)?;
            mapping.commit(0..mapping.bytes())?;
            Ok(mapping)
        })?;
        huge::keep_small(&mapping);
        self.newest = Some(Chunk::place(mapping, self.newest));
        self.used = size_of::<Chunk>();
        Ok(())
    }
}

impl Chunk {
    fn holds(&self, address: usize) -> bool {
        let offset = address.wrapping_sub(self.mapping.address());
        offset < self.mapping.bytes()
    }

    /// Writes the head of a chunk to the start of the chunk's own memory.
    fn place(mapping: Mapping, older: Option<&'static Self>) -> &'static Self {
        let place = mapping.at(0).cast::<Self>();
        let head = Self { mapping, older };
        // SAFETY: `mapping` is new and committed, is aligned to an OS page, and is larger than the head.
        unsafe { place.write(head) };
        // SAFETY: `write` put the head there, and by invariant 1 nothing gives its memory back.
        unsafe { place.as_ref() }
    }
}
