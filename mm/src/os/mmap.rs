//! Linux: the calls into the kernel (`calls.rs`), moves of memory (`relocate.rs`), and checks of the answers
//! (`probe.rs`).

mod calls;
#[cfg(test)]
pub(crate) mod lies;
mod probe;
mod relocate;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::pagemap::Pagemap;
use super::{Guard, PageSource, Refused, Unmoved, annotate, process};
use calls::{Access, Advice};

/// The Linux kernel.
#[derive(Debug)]
pub(crate) struct Kernel;

// SAFETY: `reserve` gives what mmap(2) mapped just now, which nothing else uses. That anonymous private
// memory reads as zero until it is written, and again after `MADV_DONTNEED` returned 0 (madvise(2)), was
// tried: `commit` and `discard` refuse where it is not so. So was what `relocate` and `renew` do, where
// `can_relocate` says that it can be done.
unsafe impl PageSource for Kernel {
    type Look = Pagemap;

    const FIRST_ARENA: usize = 64 << 20;
    const LARGEST_ARENA: usize = 1 << 40;

    fn page_bytes() -> usize {
        static KNOWN: AtomicUsize = AtomicUsize::new(0);
        match KNOWN.load(Relaxed) {
            0 => {
                let asked = calls::page_bytes();
                KNOWN.store(asked, Relaxed);
                asked
            }
            known => known,
        }
    }

    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused> {
        let page = Self::page_bytes();
        assert!(align.is_power_of_two(), "no alignment");
        // Enough to cut an aligned part out, whatever address the kernel picks.
        let slack = align.saturating_sub(page);
        let whole = bytes.checked_add(slack).ok_or(Refused)?;
        probe::begin();
        let start = calls::map(whole)?;
        let before = start.addr().get().next_multiple_of(align) - start.addr().get();
        // SAFETY: `before` is not above `slack`: page and `align` are powers of two. So the result is
        // inside the new mapping.
        let aligned = unsafe { start.add(before) };
        // SAFETY: `map` gave the range just now, and nothing uses what is before `aligned`.
        unsafe { calls::unmap(start, before) };
        // SAFETY: `before + bytes` is not above `whole`, so this is inside the mapping or one past it.
        let end = unsafe { aligned.add(bytes) };
        // SAFETY: `map` gave the range just now, and nothing uses what is from `end` on.
        unsafe { calls::unmap(end, slack - before) };
        Ok(aligned)
    }

    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, _align: usize) {
        // SAFETY: by requirements 1 and 2 the range is a reservation, and nothing uses it any more.
        unsafe { calls::unmap(start, bytes) };
    }

    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        if !probe::grants() {
            return Err(Refused);
        }
        // SAFETY: by requirement 1 the range lies inside one reservation, which nothing else uses, and
        // access is only added.
        unsafe { calls::protect(start, bytes, Access::Process) }
    }

    fn can_discard() -> bool {
        probe::discards()
    }

    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        if !Self::can_discard() {
            return Err(Refused);
        }
        // SAFETY: requirements 1 and 2 say that the range is mm's and that nothing needs its contents.
        unsafe { calls::advise(start, bytes, Advice::Discard) }
    }

    unsafe fn can_relocate(start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: requirements 1 and 2 are those of `relocate::can_relocate`.
        unsafe { relocate::can_relocate(start, bytes) }
    }

    unsafe fn relocate(from: NonNull<u8>, bytes: usize, to: NonNull<u8>) -> Result<(), Unmoved> {
        // SAFETY: requirements 1 and 2 are those of `relocate::relocate`.
        unsafe { relocate::relocate(from, bytes, to) }
    }

    unsafe fn renew(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        // SAFETY: by requirements 1 and 2 the range is mm's, and nothing needs its contents.
        unsafe { calls::map_again(start, bytes, true) }
    }

    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused> {
        // SAFETY: requirements 1 and 2 say that the range is committed and that nothing needs its contents.
        if unsafe { advise_of_guard(start, bytes, Advice::InstallGuard) }.is_ok() {
            return Ok(Guard::Marks);
        }
        // Old kernels have no such guards, and others put none where memory is locked.
        // SAFETY: requirements 1 and 2 say that the range is committed and that nothing needs its contents.
        let answer = unsafe { forbid(start, bytes) };
        // Where a part is locked, both calls may have come up to there.
        // SAFETY: requirements 1 and 2 say that the range is committed and that nothing needs its contents.
        if answer.is_err() && unsafe { allow(start, bytes) }.is_err() {
            // The next use has to try again.
            FORBIDDEN.fetch_add(1, Relaxed);
            return Ok(Guard::Mappings);
        }
        answer
    }

    unsafe fn unguard(start: NonNull<u8>, bytes: usize, how: Guard) -> Result<(), Refused> {
        if how == Guard::Marks {
            // SAFETY: by requirement 1 `guard` accepted the range: it is committed, and nothing needs what
            // guards hide.
            return unsafe { advise_of_guard(start, bytes, Advice::RemoveGuard) };
        }
        // SAFETY: by requirement 1 `guard` accepted the range: it is committed, and nothing needs what
        // guards hide.
        unsafe { allow(start, bytes) }?;
        FORBIDDEN.fetch_sub(1, Relaxed);
        Ok(())
    }

    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool) {
        let advice = if wanted {
            Advice::Huge
        } else {
            Advice::NotHuge
        };
        // A kernel without huge pages refuses it.
        // SAFETY: by requirement 1 the range is mm's, and this `advice` changes no contents.
        let (Ok(()) | Err(Refused)) = unsafe { calls::advise(start, bytes, advice) };
    }

    /// A mark in it gives the range a table of small pages, which stays when the mark goes; where
    /// there is one, a touch adds a small page to it. All other ways split the mapping.
    unsafe fn begin_small(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        let mark = bytes.min(Self::page_bytes());
        // SAFETY: by requirements 1 and 2 the range is committed and nothing needs its contents; `mark` is
        // its first OS page.
        match unsafe { advise_of_guard(start, mark, Advice::InstallGuard) } {
            // SAFETY: by requirements 1 and 2 the range is committed and nothing needs its contents; `mark`
            // is its first OS page.
            Ok(()) => unsafe { advise_of_guard(start, mark, Advice::RemoveGuard) },
            Err(Refused) => Ok(()),
        }
    }

    fn look() -> Pagemap {
        if probe::page_table_tells() {
            Pagemap::open()
        } else {
            Pagemap::closed()
        }
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
        if !probe::tells_residency() {
            return Err(Refused);
        }
        // SAFETY: by requirement 1 so many OS pages lie inside one reservation, which is mm's.
        unsafe { calls::residency(start, pages) }
    }
}

/// Makes a range accessible again that may already be accessible in part.
///
/// # Safety
///
/// 1. The range consists of OS pages inside one reservation that were committed.
/// 2. Nothing needs what guards hide there.
unsafe fn allow(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
    // Refused by kernels that have no guards, so that there are none.
    // SAFETY: requirements 1 and 2 say that the range is committed and that nothing needs what guards hide.
    let (Ok(()) | Err(Refused)) = unsafe { advise_of_guard(start, bytes, Advice::RemoveGuard) };
    // SAFETY: requirement 1 says that the range consists of OS pages inside one reservation.
    unsafe { Kernel::commit(start, bytes) }
}

/// Puts guards of the kernel, or takes them away.
///
/// # Safety
///
/// 1. The range consists of OS pages that are committed.
/// 2. Nothing needs their contents.
unsafe fn advise_of_guard(start: NonNull<u8>, bytes: usize, advice: Advice) -> Result<(), Refused> {
    // LeakSanitizer reads all memory that the list of mappings marks as readable, and these guards do
    // not appear on that list.
    if annotate::TO_ASAN || !probe::marks_guard() {
        return Err(Refused);
    }
    // SAFETY: requirements 1 and 2 say that the range is mm's and that nothing needs its contents.
    unsafe { calls::advise(start, bytes, advice) }
}

/// Ranges that were made inaccessible as mappings of their own.
static FORBIDDEN: AtomicUsize = AtomicUsize::new(0);

/// Guards a range on kernels without guards: the range becomes a separate mapping, which splits the one
/// around it. This uses at most a quarter of the mappings that a process can have; otherwise the kernel
/// could refuse the next growth, or the next thread.
///
/// # Safety
///
/// 1. The range consists of OS pages that are committed.
/// 2. Nothing needs their contents.
unsafe fn forbid(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused> {
    if !probe::mappings_guard() {
        return Err(Refused);
    }
    // Each takes two: itself, and what is behind it.
    if FORBIDDEN.fetch_add(1, Relaxed) >= process::most_mappings() / 8 {
        FORBIDDEN.fetch_sub(1, Relaxed);
        return Err(Refused);
    }
    // SAFETY: requirements 1 and 2 say that the range is mm's and that nothing needs its contents, so that
    // nothing touches it.
    let answer = unsafe { calls::protect(start, bytes, Access::Nobody) };
    let answer = answer.inspect_err(|Refused| {
        FORBIDDEN.fetch_sub(1, Relaxed);
    });
    answer.map(|()| Guard::Mappings)
}

#[cfg(test)]
mod tests {
    use super::lies::{Lie, lying};
    use super::*;
    use std::io::{self, PipeWriter};
    use std::os::fd::AsRawFd;

    /// Whether the byte at `at` can be read: the kernel says so instead of a signal.
    fn is_readable(pipe: &PipeWriter, at: NonNull<u8>) -> bool {
        // SAFETY: `libc::write` takes one byte from any address, or answers EFAULT.
        unsafe { libc::write(pipe.as_raw_fd(), at.as_ptr().cast(), 1) == 1 }
    }

    /// Guards the middle one of three OS pages with `guard`, and takes that back.
    ///
    /// # Safety
    ///
    /// 1. `guard` requires what [`Kernel::guard`](PageSource::guard) does, and no more.
    unsafe fn check_guard(guard: unsafe fn(NonNull<u8>, usize) -> Result<Guard, Refused>) {
        let (_reader, pipe) = io::pipe().unwrap();
        let page = Kernel::page_bytes();
        let start = Kernel::reserve(3 * page, page).unwrap();
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { Kernel::commit(start, 3 * page) }.unwrap();
        // SAFETY: `reserve` gave three OS pages, of which this is the second.
        let middle = unsafe { start.add(page) };
        // SAFETY: `reserve` gave three OS pages, of which this is the last.
        let last = unsafe { middle.add(page) };
        // SAFETY: by requirement 1 `guard` wants a committed page whose contents nothing needs, and this
        // one is empty.
        let how = unsafe { guard(middle, page) }.unwrap();
        let readable = [start, middle, last].map(|at| is_readable(&pipe, at));
        assert_eq!(readable, [true, false, true]);
        // SAFETY: `commit` accepted the range, and all its pages are empty.
        unsafe { Kernel::discard(start, 3 * page) }.unwrap();
        assert!(!is_readable(&pipe, middle));
        // SAFETY: `guard` accepted the page above, and answered `how`.
        unsafe { Kernel::unguard(middle, page, how) }.unwrap();
        assert!(is_readable(&pipe, middle));
        // SAFETY: `reserve` gave the range, which is the whole reservation. Nothing uses it any more.
        unsafe { Kernel::unreserve(start, 3 * page, page) };
    }

    /// Lets a guard be refused half way: the second of three OS pages takes one, the last is locked.
    fn check_refusal() {
        let (_reader, pipe) = io::pipe().unwrap();
        let page = Kernel::page_bytes();
        let start = Kernel::reserve(3 * page, page).unwrap();
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { Kernel::commit(start, 3 * page) }.unwrap();
        // SAFETY: `reserve` gave three OS pages, of which these are the last two.
        let [middle, last] = [1, 2].map(|number| unsafe { start.add(number * page) });
        // SAFETY: `commit` accepted the page, and `mlock` changes no contents.
        assert_eq!(unsafe { libc::mlock(last.as_ptr().cast(), page) }, 0);
        FORBIDDEN.fetch_add(process::most_mappings(), Relaxed);
        // SAFETY: `commit` accepted the pages, which are empty.
        let refused = unsafe { Kernel::guard(middle, 2 * page) };
        FORBIDDEN.fetch_sub(process::most_mappings(), Relaxed);
        assert_eq!(refused, Err(Refused));
        let readable = [start, middle, last].map(|at| is_readable(&pipe, at));
        assert_eq!(readable, [true; 3]);
        // SAFETY: `reserve` gave the range, which is the whole reservation. Nothing uses it any more.
        unsafe { Kernel::unreserve(start, 3 * page, page) };
    }

    #[test]
    fn what_begins_with_small_pages_can_be_used() {
        let (_reader, pipe) = io::pipe().unwrap();
        let bytes = 2 << 20;
        let start = Kernel::reserve(bytes, bytes).unwrap();
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { Kernel::commit(start, bytes) }.unwrap();
        for lie in [
            Lie::Advice(Advice::InstallGuard),
            Lie::Advice(Advice::RemoveGuard),
        ] {
            // SAFETY: `commit` accepted the range, which is empty.
            lying(lie, || unsafe { Kernel::begin_small(start, bytes) }).unwrap();
            assert!(is_readable(&pipe, start));
        }
        // SAFETY: `commit` accepted the range, which is empty.
        unsafe { Kernel::begin_small(start, bytes) }.unwrap();
        assert!(is_readable(&pipe, start));
        // SAFETY: `reserve` gave the range, which is the whole reservation. Nothing uses it any more.
        unsafe { Kernel::unreserve(start, bytes, bytes) };
    }

    // One test, since all that it does counts what is forbidden.
    #[test]
    fn guards_keep_everybody_out_until_they_are_taken_away() {
        // SAFETY: `Kernel::guard` is what it is compared with.
        unsafe { check_guard(Kernel::guard) };
        // SAFETY: `forbid` lists the requirements of `Kernel::guard`.
        unsafe { check_guard(forbid) };
        check_refusal();
    }
}
