//! Moving memory from one range of addresses to another without a copy.
//!
//! Both ranges stay mm's: `MREMAP_DONTUNMAP` leaves the old one mapped, and empty, so no other thread's mapping can get
//! into it. What the kernel does, from `mremap(2)` and `mm/mremap.c` of Linux 5.7 to 6.18:
//!
//! - It moves what lies in one mapping. A range that the program divided, by locking a part of it for instance, is
//!   refused (`EFAULT`; since 6.17 it may be moved), and before 6.17 only after the target was unmapped. So
//!   [`can_relocate`] asks before.
//! - The old mapping is no longer locked afterwards, all of it, even if a part was moved. So locked memory is not moved.
//! - The old mapping is no longer accounted, where memory is (`overcommit_memory` is 2 in `proc_sys_vm(5)`), and what was
//!   accounted before is never taken off. So nothing is moved there.
//! - It unmaps the target first. If it fails after that, for lack of memory, the target is a hole, which another thread's
//!   mapping may get into.
//! - A moved range stays a mapping of its own, beside mappings that look the same, if memory backed it.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::calls::{self, Advice};
use super::{Kernel, probe};
use crate::os::{PageSource, Refused, Unmoved};

/// Whether the kernel refused a move that it had to accept. Nothing is moved any more.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Whether the memory of a range can be moved.
///
/// # Safety
///
/// 1. The range consists of OS pages that are committed.
/// 2. The OS page behind it lies in the same reservation.
pub(super) unsafe fn can_relocate(start: NonNull<u8>, bytes: usize) -> bool {
    if IS_OFF.load(Relaxed) || !probe::moves() {
        return false;
    }
    // SAFETY: requirements 1 and 2 are those of `is_movable`.
    unsafe { is_movable(start, bytes) }
}

/// Whether a range lies in one mapping, which is not locked.
///
/// # Safety
///
/// 1. The range consists of OS pages that are committed.
/// 2. The OS page behind it lies in the same reservation.
pub(super) unsafe fn is_movable(start: NonNull<u8>, bytes: usize) -> bool {
    let page = Kernel::page_bytes();
    // SAFETY: by requirements 1 and 2 mm owns the range and the OS page behind it.
    let is_one = unsafe { calls::is_one_mapping(start, bytes, page) };
    // The kernel gives this advice on no locked mapping (madvise(2)).
    // SAFETY: by requirement 1 the range is mm's, and this advice changes no contents.
    is_one && unsafe { calls::advise(start, page, Advice::Cold) }.is_ok()
}

/// Moves the memory of a range; see [`PageSource::relocate`]. After a refusal, nothing is moved any more.
///
/// # Safety
///
/// 1. The ranges consist of OS pages that are committed, and do not overlap.
/// 2. Nothing else uses the first one meanwhile, and nothing needs the contents of the second one.
pub(super) unsafe fn relocate(
    from: NonNull<u8>,
    bytes: usize,
    to: NonNull<u8>,
) -> Result<(), Unmoved> {
    // SAFETY: requirements 1 and 2 are those of `move_or_restore`.
    let moved = unsafe { move_or_restore(from, bytes, to) };
    moved.inspect_err(|_| IS_OFF.store(true, Relaxed))
}

/// # Safety
///
/// 1. The ranges consist of OS pages that are committed, and do not overlap.
/// 2. Nothing else uses the first one meanwhile, and nothing needs the contents of the second one.
unsafe fn move_or_restore(from: NonNull<u8>, bytes: usize, to: NonNull<u8>) -> Result<(), Unmoved> {
    // SAFETY: by requirements 1 and 2 both ranges are mm's, and nothing needs what is in the second one.
    if unsafe { calls::relocate(from, bytes, to) }.is_ok() {
        return Ok(());
    }
    // A target that is still mapped cannot be told from one that another thread's mapping got into.
    // SAFETY: by requirements 1 and 2 nothing needs what is in the second range. If it is mapped, nothing changes.
    match unsafe { calls::map_again(to, bytes, false) } {
        Ok(()) => Err(Unmoved::Unchanged),
        Err(Refused) => Err(Unmoved::TargetLost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: usize = 8;

    /// Committed OS pages, the start of each.
    fn pages() -> [NonNull<u8>; PAGES] {
        let page = Kernel::page_bytes();
        let start = Kernel::reserve(PAGES * page, page).expect("address space");
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { Kernel::commit(start, PAGES * page) }.expect("memory");
        // SAFETY: `reserve` gave as many pages.
        core::array::from_fn(|number| unsafe { start.add(number * page) })
    }

    /// # Safety
    ///
    /// 1. [`pages`] gave the page, which nothing else uses.
    unsafe fn write(page: NonNull<u8>, byte: u8) {
        // SAFETY: by requirement 1 the page is the test's. Volatile, for the kernel moves it.
        unsafe { page.write_volatile(byte) };
    }

    /// # Safety
    ///
    /// 1. [`pages`] gave the page, which nothing else uses.
    unsafe fn byte(page: NonNull<u8>) -> u8 {
        // SAFETY: by requirement 1 the page is the test's. Volatile, for the kernel moves it.
        unsafe { page.read_volatile() }
    }

    #[test]
    fn contents_move_and_leave_zeros() {
        let page = Kernel::page_bytes();
        let all = pages();
        for (number, at) in (1..).zip(&all[..4]) {
            // SAFETY: `pages` gave the page.
            unsafe { write(*at, number) };
        }
        // SAFETY: `pages` committed the ranges of two pages each, and only the test uses them.
        assert!(unsafe { can_relocate(all[1], 2 * page) });
        // SAFETY: `pages` committed the ranges of two pages each, and only the test uses them.
        unsafe { relocate(all[1], 2 * page, all[4]) }.expect("a move");
        // SAFETY: `pages` gave the pages.
        let bytes = all.map(|page| unsafe { byte(page) });
        assert_eq!(bytes, [1, 0, 0, 4, 2, 3, 0, 0]);
        // The old place can be used, and what is in the new one can be moved again.
        // SAFETY: `pages` gave the page.
        unsafe { write(all[1], 9) };
        // SAFETY: `pages` committed the ranges of two pages each, and only the test uses them.
        unsafe { relocate(all[4], 2 * page, all[6]) }.expect("a move");
        // SAFETY: `pages` committed the range, which the test does not need any more.
        unsafe { Kernel::renew(all[6], page) }.expect("a mapping");
        // SAFETY: `pages` gave the pages.
        let bytes = all.map(|page| unsafe { byte(page) });
        assert_eq!(bytes, [1, 9, 0, 4, 0, 0, 0, 3]);
    }

    #[test]
    fn what_is_locked_or_in_several_mappings_stays() {
        let page = Kernel::page_bytes();
        let all = pages();
        // SAFETY: `pages` gave the pages. A move and a lock change no contents.
        all.iter().for_each(|at| unsafe { write(*at, 7) });
        // SAFETY: `pages` committed both pages, and only the test uses them.
        unsafe { relocate(all[1], page, all[5]) }.expect("a move");
        // SAFETY: `pages` committed the ranges, each with a page behind it.
        let can = |number: usize, many| unsafe { can_relocate(all[number], many * page) };
        assert!(can(1, 3) && can(5, 1) && !can(4, 2) && !can(5, 2));
        // SAFETY: `pages` gave the page, and `mlock` changes no contents.
        assert_eq!(unsafe { libc::mlock(all[2].as_ptr().cast(), page) }, 0);
        assert!(can(1, 1) && !can(2, 1) && !can(1, 2) && can(3, 1));
        // SAFETY: `pages` gave the page, and `munlock` changes no contents.
        assert_eq!(unsafe { libc::munlock(all[2].as_ptr().cast(), page) }, 0);
        assert!(can(1, 3));
    }

    #[test]
    fn after_a_refusal_the_target_is_mapped_again_or_given_up() {
        let page = Kernel::page_bytes();
        let all = pages();
        // SAFETY: `pages` gave the pages.
        all.iter().for_each(|at| unsafe { write(*at, 7) });
        // SAFETY: `pages` gave the pages, and the test does not touch these two until they are mapped again.
        [all[1], all[4]]
            .into_iter()
            .for_each(|at| unsafe { calls::unmap(at, page) });
        // There is nothing to move. The target is a hole, as a kernel leaves it that fails late.
        // SAFETY: `pages` gave the pages, which only the test uses. The target may be lost.
        let refused = unsafe { move_or_restore(all[1], page, all[4]) };
        assert_eq!(refused, Err(Unmoved::Unchanged));
        // SAFETY: `move_or_restore` said that it mapped the page again.
        assert_eq!(unsafe { byte(all[4]) }, 0);
        // The target is another mapping, as one of another thread would be.
        // SAFETY: `pages` gave the pages, which only the test uses. The target may be lost.
        let refused = unsafe { move_or_restore(all[1], page, all[5]) };
        assert_eq!(refused, Err(Unmoved::TargetLost));
        // SAFETY: `pages` gave the page, which the refused call left as it was.
        assert_eq!(unsafe { byte(all[5]) }, 7);
    }
}
