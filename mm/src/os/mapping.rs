//! `Mapping`: an owned reservation of address space.

use core::ops::Range;
use core::ptr::NonNull;

use super::{Guard, Look, PageSource, RESIDENT_PAGES, Refused, System, Unmoved};

/// A reservation of address space, which is given back when dropped.
///
/// # Invariants
///
/// 1. `start..start + bytes` is one reservation of [`System`], aligned to `align`. This value owns it.
/// 2. `bytes` is a multiple of the OS page.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    align: usize,
}

// SAFETY: by invariant 1 the value owns the reservation, which belongs to the process and to no thread.
unsafe impl Send for Mapping {}
// SAFETY: a shared `Mapping` hands out addresses and makes calls for parts of its range, which any thread
// may make: by invariant 1 the reservation stays.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves `bytes` bytes, rounded up to OS pages, at a multiple of `align`.
    pub(crate) fn reserve(bytes: usize, align: usize) -> Result<Self, Refused> {
        let page = System::page_bytes();
        let bytes = bytes.checked_next_multiple_of(page).ok_or(Refused)?;
        let align = align.max(page);
        let start = System::reserve(bytes, align)?;
        Ok(Self {
            start,
            bytes,
            align,
        })
    }

    /// Returns the bytes of the reservation.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the address of the first byte.
    pub(crate) fn address(&self) -> usize {
        self.start.addr().get()
    }

    /// Returns a pointer to the byte at `offset`, which may be one past the end.
    ///
    /// # Panics
    ///
    /// Panics if `offset` is further out.
    pub(crate) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.bytes, "outside the mapping");
        // SAFETY: by invariant 1 `start..start + bytes` is one reservation, and the assertion compared
        // `offset` with `bytes`. So the result is inside the reservation, or one past its end.
        unsafe { self.start.add(offset) }
    }

    /// Makes the OS pages of `range` readable and writable.
    pub(crate) fn commit(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation.
        unsafe { System::commit(start, bytes) }
    }

    /// Asks for huge OS pages in `range` if `wanted`, and for small ones otherwise.
    pub(crate) fn prefer_huge(&self, range: Range<usize>, wanted: bool) {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation.
        unsafe { System::prefer_huge(start, bytes, wanted) };
    }

    /// Makes `range` inaccessible.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. No code needs its contents.
    pub(crate) unsafe fn guard(&self, range: Range<usize>) -> Result<Guard, Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation. By requirement 1
        // they are committed, and by requirement 2 no code needs their contents.
        unsafe { System::guard(start, bytes) }
    }

    /// Makes `range` accessible again.
    ///
    /// # Safety
    ///
    /// 1. [`guard`](Self::guard) accepted this whole range, and returned `how`.
    pub(crate) unsafe fn unguard(&self, range: Range<usize>, how: Guard) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: by requirement 1 `guard` accepted the range and returned `how`. It passed the same `part`
        // of the reservation to the system.
        unsafe { System::unguard(start, bytes, how) }
    }

    /// Makes the kernel back `range` with small OS pages at first. After a refusal, `range` can no longer be
    /// used.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. No code needs its contents.
    pub(crate) unsafe fn begin_small(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation. By requirement 1
        // they are committed, and by requirement 2 no code needs their contents.
        unsafe { System::begin_small(start, bytes) }
    }

    /// Returns the memory of `range` to the system. On success the range reads as zero.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. No code needs its contents.
    pub(crate) unsafe fn discard(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation. By requirement 1
        // they are committed, and by requirement 2 no code needs their contents.
        unsafe { System::discard(start, bytes) }
    }

    /// Whether the memory of `range` can be moved, which ends before the last OS page.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    pub(crate) unsafe fn can_relocate(&self, range: Range<usize>) -> bool {
        let (start, bytes) = self.part(range.clone());
        // The page behind the range.
        self.part(range.end..range.end + System::page_bytes());
        // SAFETY: `part` checked that the range and the OS page behind it belong to this reservation. By requirement 1
        // the range is committed.
        unsafe { System::can_relocate(start, bytes) }
    }

    /// Moves the memory of `range` to the offset `offset` of `target`, where it replaces what is there. On success,
    /// `range` reads as zero.
    ///
    /// # Safety
    ///
    /// 1. The range and the one in `target` are committed, and do not overlap.
    /// 2. No other code uses the range meanwhile, and no code needs the contents of the one in `target`.
    pub(crate) unsafe fn relocate(
        &self,
        range: Range<usize>,
        target: &Self,
        offset: usize,
    ) -> Result<(), Unmoved> {
        let (from, bytes) = self.part(range);
        let (to, _) = target.part(offset..offset + bytes);
        // SAFETY: `part` checked that both ranges consist of OS pages of reservations. Requirements 1 and 2 say the
        // rest.
        unsafe { System::relocate(from, bytes, to) }
    }

    /// Makes `range` one new mapping, which reads as zero. After a refusal, `range` can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. No code needs its contents.
    pub(crate) unsafe fn renew(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation. By requirement 1
        // they are committed, and by requirement 2 no code needs their contents.
        unsafe { System::renew(start, bytes) }
    }

    /// Returns the bytes of `range` that are backed by memory.
    pub(crate) fn resident(&self, look: &Look, range: Range<usize>) -> Result<usize, Refused> {
        let mut all = Ok(0);
        self.resident_by_step(look, range, usize::MAX, |_, part| {
            all = all.and_then(|all| Ok(all + part?));
        });
        all
    }

    /// Calls `f` for each step of `step` bytes of `range`, with its offset and its backed bytes. Leaves out
    /// the steps without memory, and passes on the refusal if the system does not report a step. `step` is
    /// a power of two. A step may be reported in parts.
    pub(crate) fn resident_by_step(
        &self,
        look: &Look,
        range: Range<usize>,
        step: usize,
        mut f: impl FnMut(usize, Result<usize, Refused>),
    ) {
        let page = System::page_bytes();
        let mut seen = [0_u8; RESIDENT_PAGES];
        let per_call = RESIDENT_PAGES * page;
        for from in range.clone().step_by(per_call) {
            let to = range.end.min(from + per_call);
            let (start, bytes) = self.part(from..to);
            let pages = &mut seen[..bytes / page];
            // SAFETY: `part` checked that the range consists of OS pages of this reservation, and `pages`
            // has a byte for each of them.
            let answer = unsafe { System::resident(look, start, pages) };
            let per_step = (step / page).clamp(1, RESIDENT_PAGES);
            for (index, part) in pages.chunks(per_step).enumerate() {
                let backed = part.iter().filter(|seen| **seen & 1 != 0).count();
                let bytes = answer.map(|()| backed * page);
                if bytes != Ok(0) {
                    f(from + index * per_step * page, bytes);
                }
            }
        }
    }

    /// Returns the start of a range inside the reservation, and its length in bytes.
    ///
    /// # Panics
    ///
    /// Panics if the range does not consist of OS pages of the reservation.
    fn part(&self, range: Range<usize>) -> (NonNull<u8>, usize) {
        let page = System::page_bytes();
        assert!(
            range.start <= range.end && range.end <= self.bytes,
            "outside the mapping"
        );
        assert!(
            range.start.is_multiple_of(page) && range.end.is_multiple_of(page),
            "part of an OS page"
        );
        (self.at(range.start), range.len())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: by invariant 1 this is one whole reservation, reserved with `align`. The value owned it,
        // and ends here.
        unsafe { System::unreserve(self.start, self.bytes, self.align) };
    }
}

/// Takes `wanted` bytes with `take`. If they are refused, takes an eighth of the available bytes, but no
/// less than `least`. Other users of the same limit need the rest.
pub(crate) fn reserve_some<T>(
    wanted: usize,
    least: usize,
    mut take: impl FnMut(usize) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut bytes = wanted;
    loop {
        match take(bytes) {
            // Any refusal may mean that the size is too large: valgrind returns EINVAL then.
            Err(Refused) if bytes > least => bytes = (bytes / 2).max(least),
            Ok(all) if bytes < wanted && bytes / 8 > least => {
                drop(all);
                return take(bytes / 8);
            }
            answer => return answer,
        }
    }
}
