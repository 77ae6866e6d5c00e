//! `PageSource`: what mm needs of a system that provides address space and memory.

use core::ptr::NonNull;

/// The most OS pages that one call of [`PageSource::resident`] asks about: 2 MiB if an OS page has 4 KiB.
pub(super) const RESIDENT_PAGES: usize = 512;

/// The system refused. Nothing changed, except that a `discard` may have discarded a part of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// Why memory was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmoved {
    /// Nothing changed, but the contents of the target.
    Unchanged,
    /// The target may have become another user's. It can no longer be used.
    #[allow(dead_code, reason = "the portable backend moves nothing")]
    TargetLost,
}

/// How a range is kept inaccessible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// By marks in the page table.
    Marks,
    /// By separate mappings, whose number is limited.
    Mappings,
}

/// The source of address space and memory.
///
/// # Safety
///
/// 1. No other code uses the range that `reserve` returns until `unreserve`.
/// 2. After `commit` succeeded, the range can be read and written. Bytes that were never written read as
///    zero.
/// 3. After `discard` or `renew` succeeded, the whole range reads as zero.
/// 4. After `relocate` succeeded, the second range has the contents of the first one, which reads as zero.
pub(crate) unsafe trait PageSource {
    /// The state of one walk over memory, which [`resident`](Self::resident) needs.
    type Look;

    /// Bytes that the first arena asks for. Each further one asks for twice as much as the last.
    const FIRST_ARENA: usize;

    /// The most bytes that an arena asks for, unless one block needs more.
    const LARGEST_ARENA: usize;

    /// Returns the bytes of one OS page.
    fn page_bytes() -> usize;

    /// Reserves `bytes` bytes of address space at a multiple of `align`, without memory.
    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused>;

    /// Gives a reservation back.
    ///
    /// # Safety
    ///
    /// 1. The range is one whole reservation, made with the same alignment.
    /// 2. No code uses it any more.
    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, align: usize);

    /// Makes a part of a reservation readable and writable.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages inside one reservation.
    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Whether [`discard`](Self::discard) can succeed for any memory.
    fn can_discard() -> bool;

    /// Returns the memory of a range to the system, so that the range reads as zero. After a refusal, parts
    /// of it may read as zero.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. No code needs their contents.
    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Whether [`relocate`](Self::relocate) can move the memory of a range.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. The OS page behind it lies in the same reservation.
    unsafe fn can_relocate(start: NonNull<u8>, bytes: usize) -> bool;

    /// Moves the memory of the `bytes` bytes at `from`, with its contents, to `to`, without a copy. Then the range at
    /// `from` reads as zero. The range at `to` is a mapping of its own from then on, even if it is moved again.
    ///
    /// # Safety
    ///
    /// 1. Both ranges consist of OS pages that are committed, and they do not overlap.
    /// 2. Nothing else uses the range at `from` meanwhile, and nothing needs the contents of the one at `to`.
    unsafe fn relocate(from: NonNull<u8>, bytes: usize, to: NonNull<u8>) -> Result<(), Unmoved>;

    /// Makes a range one new mapping like those beside it, which reads as zero. After a refusal, the range can no
    /// longer be used.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. Nothing needs their contents.
    unsafe fn renew(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Makes a range inaccessible: at an access, the kernel ends the process. The contents of the range are
    /// lost. After a refusal, all of the range can be used as before.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. No code needs their contents.
    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused>;

    /// Makes a range accessible again that [`guard`](Self::guard) made inaccessible.
    ///
    /// # Safety
    ///
    /// 1. `guard` accepted this whole range, and returned `how`.
    unsafe fn unguard(start: NonNull<u8>, bytes: usize, how: Guard) -> Result<(), Refused>;

    /// Asks for huge OS pages in a range if `wanted`, and for small ones otherwise. It is a hint, so it
    /// returns nothing.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages inside one reservation.
    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool);

    /// Makes the kernel back a range with small OS pages at first, even if huge ones are the default. Later
    /// the kernel may combine small pages into a huge one. After a refusal, the range can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. No code needs their contents.
    unsafe fn begin_small(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Begins a walk over memory.
    fn look() -> Self::Look;

    /// Whether [`resident`](Self::resident) leaves out pages that were only read. They are the kernel's page
    /// of zeros.
    fn tells_zeros(look: &Self::Look) -> bool;

    /// For each OS page from `start` on, writes whether memory backs it, into the lowest bit of a byte of
    /// `pages`. After a refusal, nothing is known about any of them.
    ///
    /// # Safety
    ///
    /// 1. From `start` on, as many OS pages as `pages` has bytes lie inside one reservation.
    unsafe fn resident(
        look: &Self::Look,
        start: NonNull<u8>,
        pages: &mut [u8],
    ) -> Result<(), Refused>;
}
