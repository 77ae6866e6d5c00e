//! The only calls of `libc` for memory. Each gives the kernel's own answer, whether it is true or not.
//!
//! Sources: `mmap(2)`, `mremap(2)`, `mprotect(2)`, `madvise(2)`, `mincore(2)`, `sigprocmask(2)`.
#![allow(
    clippy::disallowed_methods,
    reason = "this file is where the raw calls belong"
)]

use crate::os::section::expect_none;
use core::ptr::{self, NonNull};

use super::Refused;
#[cfg(test)]
use super::lies::{Lie, is_told};

/// Who may touch a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Nobody,
    Process,
}

/// What can be said of a range to `madvise`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    Discard,
    Huge,
    NotHuge,
    InstallGuard,
    RemoveGuard,
    /// That the contents are not needed soon.
    Cold,
}

impl Advice {
    /// The kernel's number. `MADV_GUARD_INSTALL` and `MADV_GUARD_REMOVE` are those of Linux 6.13 and
    /// later. Source: `linux/mman.h`.
    fn number(self) -> libc::c_int {
        match self {
            Self::Discard => libc::MADV_DONTNEED,
            Self::Huge => libc::MADV_HUGEPAGE,
            Self::NotHuge => libc::MADV_NOHUGEPAGE,
            Self::InstallGuard => 102,
            Self::RemoveGuard => 103,
            Self::Cold => libc::MADV_COLD,
        }
    }
}

/// Bytes of one OS page.
pub(super) fn page_bytes() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let answer = usize::try_from(answer).ok();
    let answer = answer.filter(|bytes| bytes.is_power_of_two());
    answer.expect("the kernel has a page size")
}

/// Maps new address space without access rights.
pub(super) fn map(bytes: usize) -> Result<NonNull<u8>, Refused> {
    expect_none("a call of the kernel");
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: `mmap` gets no address and no `MAP_FIXED`, so that the kernel picks addresses that nothing
    // uses.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(Refused);
    }
    NonNull::new(start.cast()).ok_or(Refused)
}

/// Maps a range that was mm's before, readable and writable, and zero. If it may be mapped still, this is done only
/// with `over`.
///
/// # Safety
///
/// 1. The OS pages of the range were mm's. With `over`, they are.
/// 2. Nothing needs their contents.
pub(super) unsafe fn map_again(
    start: NonNull<u8>,
    bytes: usize,
    over: bool,
) -> Result<(), Refused> {
    expect_none("a call of the kernel");
    #[cfg(test)]
    if over && is_told(Lie::Renewal) {
        return Ok(());
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let place = if over {
        libc::MAP_FIXED
    } else {
        libc::MAP_FIXED_NOREPLACE
    };
    // SAFETY: by requirements 1 and 2 the range is mm's and nothing needs its contents, or nothing is replaced.
    let mapped = unsafe {
        libc::mmap(
            start.as_ptr().cast(),
            bytes,
            protection,
            flags | place,
            -1,
            0,
        )
    };
    (mapped == start.as_ptr().cast())
        .then_some(())
        .ok_or(Refused)
}

/// Moves the memory of a range to another one. The old one stays mapped, and reads as zero.
///
/// # Safety
///
/// 1. mm owns the OS pages of both ranges, which do not overlap.
/// 2. Nothing needs the contents of the second one.
pub(super) unsafe fn relocate(
    from: NonNull<u8>,
    bytes: usize,
    to: NonNull<u8>,
) -> Result<(), Refused> {
    expect_none("a call of the kernel");
    #[cfg(test)]
    if is_told(Lie::Move) {
        return Ok(());
    }
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
    let (from, to) = (from.as_ptr().cast(), to.as_ptr().cast::<libc::c_void>());
    // SAFETY: by requirements 1 and 2 both ranges are mm's, and nothing needs what the second one loses.
    let moved = unsafe { libc::mremap(from, bytes, bytes, flags, to) };
    (moved == to).then_some(()).ok_or(Refused)
}

/// Whether a range lies in one mapping.
///
/// The kernel is asked to lengthen the range in its place. It always refuses, as the place is taken: with `ENOMEM`, or
/// with `EFAULT` if it finds several mappings.
///
/// # Safety
///
/// 1. mm owns the OS pages of the range, and the `page` bytes behind it are an OS page of mm's, too.
pub(super) unsafe fn is_one_mapping(start: NonNull<u8>, bytes: usize, page: usize) -> bool {
    // SAFETY: without `MREMAP_MAYMOVE` the call can only map what is behind the range, which by requirement 1 is mapped.
    let answer = unsafe { libc::mremap(start.as_ptr().cast(), bytes, bytes + page, 0) };
    let error = || std::io::Error::last_os_error().raw_os_error();
    answer == libc::MAP_FAILED && error() == Some(libc::ENOMEM)
}

/// Unmaps a part of a mapping.
///
/// # Safety
///
/// 1. mm owns the OS pages of the range.
/// 2. Nothing uses them any more.
pub(super) unsafe fn unmap(start: NonNull<u8>, bytes: usize) {
    if bytes > 0 {
        // SAFETY: by requirements 1 and 2 nothing uses the range. A refusal leaves it reserved, which harms
        // nothing.
        unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
    }
}

/// Changes who may touch a range.
///
/// # Safety
///
/// 1. mm owns the OS pages of the range.
/// 2. Nothing touches them afterwards in a way that `access` forbids.
pub(super) unsafe fn protect(
    start: NonNull<u8>,
    bytes: usize,
    access: Access,
) -> Result<(), Refused> {
    expect_none("a call of the kernel");
    #[cfg(test)]
    if is_told(Lie::Access) {
        return Ok(());
    }
    let protection = match access {
        Access::Nobody => libc::PROT_NONE,
        Access::Process => libc::PROT_READ | libc::PROT_WRITE,
    };
    // SAFETY: by requirements 1 and 2 only mm uses the range, and as `access` allows.
    accepted(unsafe { libc::mprotect(start.as_ptr().cast(), bytes, protection) })
}

/// Gives advice on a range.
///
/// # Safety
///
/// 1. mm owns the OS pages of the range.
/// 2. Nothing needs their contents, unless the advice is on huge pages or [`Advice::Cold`].
pub(super) unsafe fn advise(
    start: NonNull<u8>,
    bytes: usize,
    advice: Advice,
) -> Result<(), Refused> {
    expect_none("a call of the kernel");
    #[cfg(test)]
    if is_told(Lie::Advice(advice)) {
        return Ok(());
    }
    // SAFETY: by requirements 1 and 2 the range is mm's, and what the advice does to its contents concerns
    // nothing.
    accepted(unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice.number()) })
}

/// Says of each OS page from `start` on whether memory backs it, in the byte's lowest bit.
///
/// # Safety
///
/// 1. mm owns as many OS pages from `start` on as `pages` has bytes.
pub(super) unsafe fn residency(start: NonNull<u8>, pages: &mut [u8]) -> Result<(), Refused> {
    expect_none("a call of the kernel");
    #[cfg(test)]
    if is_told(Lie::Residency) {
        return Ok(());
    }
    let bytes = pages.len() * page_bytes();
    // SAFETY: by requirement 1 the range is mm's, and `pages` has a byte for each OS page of it, which is
    // all that `mincore` writes.
    accepted(unsafe { libc::mincore(start.as_ptr().cast(), bytes, pages.as_mut_ptr()) })
}

/// Unlocks a range that `mlockall` locked when it was mapped: locked memory is not discarded.
///
/// # Safety
///
/// 1. mm owns the OS pages of the range.
pub(super) unsafe fn unlock(start: NonNull<u8>, bytes: usize) {
    // SAFETY: by requirement 1 the range is mm's, and `munlock` changes no contents. A refusal leaves it as
    // it was.
    unsafe { libc::munlock(start.as_ptr().cast(), bytes) };
}

/// Whether the process may write at `at`, as the kernel finds out when it is to put something there;
/// `None` if it does not say so.
///
/// # Safety
///
/// 1. mm owns the OS page of `at`, which is a multiple of 8.
/// 2. Nothing needs the 8 bytes there.
pub(super) unsafe fn is_writable(at: NonNull<u8>) -> Option<bool> {
    /// Bytes of the kernel's set of signals, which is not that of `libc`.
    const SET_BYTES: usize = 8;
    let unchanged = ptr::null::<u8>();
    let (call, how) = (libc::SYS_rt_sigprocmask, libc::SIG_BLOCK);
    // SAFETY: a null set changes nothing: no signal is blocked. By requirements 1 and 2 the kernel may
    // write the set of what was blocked before to `at`; if it cannot, it answers EFAULT.
    let answer = unsafe { libc::syscall(call, how, unchanged, at.as_ptr(), SET_BYTES) };
    if answer == 0 {
        return Some(true);
    }
    let error = std::io::Error::last_os_error().raw_os_error();
    (error == Some(libc::EFAULT)).then_some(false)
}

fn accepted(answer: libc::c_int) -> Result<(), Refused> {
    if answer == 0 { Ok(()) } else { Err(Refused) }
}
