//! Linux: the only file that calls `libc` for memory.
//!
//! Sources: `mmap(2)`, `mprotect(2)`, `madvise(2)`, `mincore(2)`.
#![allow(
    clippy::disallowed_methods,
    reason = "this file is where the raw calls belong"
)]

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::pagemap::Pagemap;
use super::{Guard, PageSource, Refused, process, watch};

/// Marks OS pages in the page table itself, which takes no entry of the kernel's list of mappings.
/// Linux 6.13 and later. Source: `linux/mman.h`; madvise(2).
const MADV_GUARD_INSTALL: libc::c_int = 102;
const MADV_GUARD_REMOVE: libc::c_int = 103;

/// The Linux kernel.
#[derive(Debug)]
pub(crate) struct Kernel;

// SAFETY: `mmap` of a new range gives addresses nobody has; anonymous private memory reads as
// zero until written, and again after `MADV_DONTNEED` returned 0 (madvise(2)).
unsafe impl PageSource for Kernel {
    type Look = Pagemap;

    const ARENA_BYTES: usize = 1 << 40;

    fn page_bytes() -> usize {
        static KNOWN: AtomicUsize = AtomicUsize::new(0);
        match KNOWN.load(Relaxed) {
            0 => {
                let asked = ask_page_bytes();
                KNOWN.store(asked, Relaxed);
                asked
            }
            known => known,
        }
    }

    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused> {
        let page = Self::page_bytes();
        // Enough to cut an aligned part out, whatever address the kernel picks.
        let slack = align.saturating_sub(page);
        let whole = bytes.checked_add(slack).ok_or(Refused)?;
        let start = map_inaccessible(whole)?;
        let before = start.addr().get().next_multiple_of(align) - start.addr().get();
        // SAFETY: `before <= slack`, so the result stays inside the new mapping.
        let aligned = unsafe { start.add(before) };
        unmap(start, before);
        // SAFETY: `before + bytes <= whole`, so this is inside the mapping or one past it.
        let end = unsafe { aligned.add(bytes) };
        unmap(end, slack - before);
        Ok(aligned)
    }

    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, _align: usize) {
        unmap(start, bytes);
    }

    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the caller's range lies inside a reservation, which nobody else uses.
        let answer = unsafe { libc::mprotect(start.as_ptr().cast(), bytes, protection) };
        accepted(answer)
    }

    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        // SAFETY: the caller's range is committed, and nobody needs its contents.
        let answer = unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_DONTNEED) };
        accepted(answer)
    }

    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused> {
        // SAFETY: the caller's range is committed, and nobody needs its contents.
        if unsafe { advise_of_guard(start, bytes, MADV_GUARD_INSTALL) }.is_ok() {
            return Ok(Guard::Marks);
        }
        // Old kernels have no such guards, and others put none where memory is locked.
        let answer = forbid(start, bytes);
        // Where a part is locked, both calls may have come up to there.
        // SAFETY: the range is committed, and what a guard hides is nobody's.
        if answer.is_err() && unsafe { allow(start, bytes) }.is_err() {
            // Whoever uses it next has to try again.
            FORBIDDEN.fetch_add(1, Relaxed);
            return Ok(Guard::Mappings);
        }
        answer
    }

    unsafe fn unguard(start: NonNull<u8>, bytes: usize, how: Guard) -> Result<(), Refused> {
        if how == Guard::Marks {
            // SAFETY: the range is committed, and what guards hide is nobody's.
            return unsafe { advise_of_guard(start, bytes, MADV_GUARD_REMOVE) };
        }
        // SAFETY: as above.
        unsafe { allow(start, bytes) }?;
        FORBIDDEN.fetch_sub(1, Relaxed);
        Ok(())
    }

    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool) {
        let advice = if wanted {
            libc::MADV_HUGEPAGE
        } else {
            libc::MADV_NOHUGEPAGE
        };
        // SAFETY: the advice changes no contents. A kernel without huge pages refuses it.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice) };
    }

    fn look() -> Pagemap {
        Pagemap::open()
    }

    fn tells_zeros(look: &Pagemap) -> bool {
        look.is_open()
    }

    unsafe fn resident(
        look: &Pagemap,
        start: NonNull<u8>,
        pages: &mut [u8],
    ) -> Result<(), Refused> {
        if look.is_open() {
            return look.look(start, pages);
        }
        let bytes = pages.len() * Self::page_bytes();
        // SAFETY: `pages` has a byte for each OS page of the range.
        let answer = unsafe { libc::mincore(start.as_ptr().cast(), bytes, pages.as_mut_ptr()) };
        accepted(answer)
    }
}

/// Makes a range accessible again that may be so in part.
///
/// # Safety
///
/// The range is part of what was committed, and nobody needs what guards hide.
unsafe fn allow(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
    // Refused by kernels that have no guards, so that there are none.
    // SAFETY: the caller promises it.
    let (Ok(()) | Err(Refused)) = unsafe { advise_of_guard(start, bytes, MADV_GUARD_REMOVE) };
    // SAFETY: as above.
    unsafe { Kernel::commit(start, bytes) }
}

/// Puts guards of the kernel, or takes them away.
///
/// # Safety
///
/// The range is committed, and nobody needs its contents.
unsafe fn advise_of_guard(
    start: NonNull<u8>,
    bytes: usize,
    advice: libc::c_int,
) -> Result<(), Refused> {
    // LeakSanitizer reads all that the list of mappings says can be read, and such guards are not
    // on that list.
    if watch::TO_ASAN {
        return Err(Refused);
    }
    // SAFETY: the caller promises the same.
    accepted(unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice) })
}

/// Ranges that were made inaccessible as mappings of their own.
static FORBIDDEN: AtomicUsize = AtomicUsize::new(0);

/// What `guard` does where the kernel has no guards: the range becomes a mapping of its own, and
/// splits the one around it. Only while no more than half of the mappings that a process can have
/// are taken by this, or the next growth would be refused for it.
fn forbid(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused> {
    if FORBIDDEN.fetch_add(1, Relaxed) >= process::most_mappings() / 4 {
        FORBIDDEN.fetch_sub(1, Relaxed);
        return Err(Refused);
    }
    // SAFETY: the callers own the range, and nobody needs its contents.
    let answer = unsafe { libc::mprotect(start.as_ptr().cast(), bytes, libc::PROT_NONE) };
    let answer = accepted(answer).inspect_err(|Refused| {
        FORBIDDEN.fetch_sub(1, Relaxed);
    });
    answer.map(|()| Guard::Mappings)
}

fn ask_page_bytes() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(answer).expect("the kernel has a page size")
}

fn map_inaccessible(bytes: usize) -> Result<NonNull<u8>, Refused> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: without MAP_FIXED the kernel picks addresses that nothing uses.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(Refused);
    }
    NonNull::new(start.cast()).ok_or(Refused)
}

/// Unmaps a part of a reservation that only the caller knows of.
fn unmap(start: NonNull<u8>, bytes: usize) {
    if bytes > 0 {
        // SAFETY: the callers own the range. A refusal leaves it reserved, which harms nobody.
        unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
    }
}

fn accepted(answer: libc::c_int) -> Result<(), Refused> {
    if answer == 0 { Ok(()) } else { Err(Refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, PipeWriter};
    use std::os::fd::AsRawFd;

    /// Whether the byte at `at` can be read: the kernel says so instead of a signal.
    fn is_readable(pipe: &PipeWriter, at: NonNull<u8>) -> bool {
        // SAFETY: a pipe takes one byte from any address, or answers EFAULT.
        unsafe { libc::write(pipe.as_raw_fd(), at.as_ptr().cast(), 1) == 1 }
    }

    /// Guards the middle one of three OS pages with `guard`, and takes that back.
    fn check_guard(guard: unsafe fn(NonNull<u8>, usize) -> Result<Guard, Refused>) {
        let (_reader, pipe) = io::pipe().unwrap();
        let page = Kernel::page_bytes();
        let start = Kernel::reserve(3 * page, page).unwrap();
        // SAFETY: the range is the whole reservation.
        unsafe { Kernel::commit(start, 3 * page) }.unwrap();
        // SAFETY: inside the reservation.
        let middle = unsafe { start.add(page) };
        // SAFETY: as above.
        let last = unsafe { middle.add(page) };
        // SAFETY: the page is committed, and empty.
        let how = unsafe { guard(middle, page) }.unwrap();
        let readable = [start, middle, last].map(|at| is_readable(&pipe, at));
        assert_eq!(readable, [true, false, true]);
        // SAFETY: the range is the whole reservation, and empty.
        unsafe { Kernel::discard(start, 3 * page) }.unwrap();
        assert!(!is_readable(&pipe, middle));
        // SAFETY: the page was guarded above.
        unsafe { Kernel::unguard(middle, page, how) }.unwrap();
        assert!(is_readable(&pipe, middle));
        // SAFETY: the whole reservation.
        unsafe { Kernel::unreserve(start, 3 * page, page) };
    }

    /// Lets a guard be refused half way: the second of three OS pages takes one, the last is locked.
    fn check_refusal() {
        let (_reader, pipe) = io::pipe().unwrap();
        let page = Kernel::page_bytes();
        let start = Kernel::reserve(3 * page, page).unwrap();
        // SAFETY: the range is the whole reservation.
        unsafe { Kernel::commit(start, 3 * page) }.unwrap();
        // SAFETY: inside the reservation.
        let [middle, last] = [1, 2].map(|number| unsafe { start.add(number * page) });
        // SAFETY: the page is committed.
        assert_eq!(unsafe { libc::mlock(last.as_ptr().cast(), page) }, 0);
        FORBIDDEN.fetch_add(process::most_mappings(), Relaxed);
        // SAFETY: the pages are committed, and empty.
        let refused = unsafe { Kernel::guard(middle, 2 * page) };
        FORBIDDEN.fetch_sub(process::most_mappings(), Relaxed);
        assert_eq!(refused, Err(Refused));
        let readable = [start, middle, last].map(|at| is_readable(&pipe, at));
        assert_eq!(readable, [true; 3]);
        // SAFETY: the whole reservation.
        unsafe { Kernel::unreserve(start, 3 * page, page) };
    }

    // One test, since all that it does counts what is forbidden.
    #[test]
    fn guards_keep_everybody_out_until_they_are_taken_away() {
        check_guard(Kernel::guard);
        check_guard(forbid);
        check_refusal();
    }
}
