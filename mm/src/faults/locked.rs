//! Memory that the kernel does not take back because the program locked it (mlock(2)).

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::family::PageFamily;
use crate::heap::flush_thread;
use crate::os::{PageSource, System};

/// The most bytes that one locked OS page keeps from going back: a part of 64 KiB.
const PART: usize = 64 << 10;

/// A locked OS page in the middle of a block.
///
/// # Invariants
///
/// 1. The address is that of a byte of a VM page: mm never unmaps those.
struct Locked(NonNull<u8>);

impl Locked {
    /// # Safety
    ///
    /// 1. A live block longer than `offset` bytes starts at `block`.
    unsafe fn page_at(block: NonNull<u8>, offset: usize) -> Self {
        // SAFETY: by requirement 1 the byte is one of the block.
        let at = unsafe { block.add(offset) };
        // SAFETY: by requirement 1 `at` is a byte of the block, so its OS page is mapped. `mlock` changes no
        // contents.
        assert_eq!(unsafe { libc::mlock(at.as_ptr().cast(), 1) }, 0);
        Self(at)
    }

    fn unlock(self) {
        // SAFETY: by invariant 1 the OS page is mapped, and `munlock` changes no contents.
        assert_eq!(unsafe { libc::munlock(self.0.as_ptr().cast(), 1) }, 0);
    }
}

fn register(name: &str, unit: usize) -> &'static PageFamily {
    let layout = Layout::from_size_align(unit, 8).expect("a layout");
    PageFamily::register(name, layout).expect("a new name")
}

/// Allocates blocks, and writes to all of them.
fn written(family: &'static PageFamily, blocks: usize, units: usize) -> Vec<NonNull<u8>> {
    let bytes = units * family.layout().size();
    let write = |_| {
        let block = family.alloc(units).expect("memory");
        // SAFETY: `alloc` gave the block just now, with as many bytes.
        unsafe { block.write_bytes(7, bytes) };
        block
    };
    (0..blocks).map(write).collect()
}

/// # Safety
///
/// 1. Each of `blocks` is a live block of the family.
/// 2. Nothing uses them any more.
unsafe fn release(family: &'static PageFamily, blocks: Vec<NonNull<u8>>) {
    for block in blocks {
        // SAFETY: by requirements 1 and 2 the block is live, and nothing uses it.
        unsafe { family.release(block) }.expect("live");
    }
    flush_thread();
}

/// Trims. Returns the bytes that were reclaimable before, and those that the trim returned.
fn trimmed(family: &'static PageFamily) -> (usize, usize) {
    let said = usize::try_from(family.figures().reclaimable).expect("a size");
    let given = family.trim();
    family.check().expect("the walker finds the same");
    (said, given)
}

/// Locks one OS page of `blocks`, releases all, and trims. mm learns of the lock when the kernel refuses, at
/// a trim or a release. From then on the reclaimable bytes do not exceed those that go back.
fn check(family: &'static PageFamily, blocks: usize, units: usize) {
    let live = written(family, blocks, units);
    let middle = units * family.layout().size() / 2;
    // SAFETY: `written` gave the block, and `middle` is inside it.
    let locked = unsafe { Locked::page_at(live[blocks / 2], middle) };
    // SAFETY: `written` gave the blocks, which nothing uses.
    unsafe { release(family, live) };
    let (said, given) = trimmed(family);
    let page = System::page_bytes();
    assert!((0..=PART).contains(&(said - given)), "{said}, {given}");
    assert_eq!(trimmed(family), (0, 0), "what is locked");
    // SAFETY: `written` gave the blocks, which nothing uses.
    unsafe { release(family, written(family, blocks, units)) };
    let (said, given) = trimmed(family);
    assert!(said <= given, "{said}, {given}: used again");
    assert_eq!(trimmed(family), (0, 0), "what is locked still");
    locked.unlock();
    let (said, given) = trimmed(family);
    assert_eq!(said, 0, "mm does not know yet");
    assert!((page..=PART).contains(&given), "{given}: no longer locked");
    // SAFETY: `written` gave the blocks, which nothing uses.
    unsafe { release(family, written(family, blocks, units)) };
    let (said, given) = trimmed(family);
    assert_eq!(said, given, "as before the lock");
    assert_eq!(family.figures().vm_pages, 0);
}

#[test]
fn a_locked_page_keeps_only_a_part_of_a_page_of_units() {
    check(register("locked:rows", 4_096), 2_000, 1);
    check(register("locked:long-rows", 4_096), 20, 100);
    // Eight of these fill a VM page of 2 MiB.
    check(register("locked:large-pages", 250_000), 40, 1);
}

#[test]
fn a_locked_page_keeps_only_a_part_of_a_large_block() {
    check(register("locked:large", 300_000), 1, 30);
    check(register("locked:many-large", 300_000), 9, 10);
}

#[test]
fn live_units_between_change_nothing() {
    let family = register("locked:between", 4_096);
    let mut live = written(family, 2_000, 1);
    // SAFETY: `written` gave the block, which is not empty.
    let locked = unsafe { Locked::page_at(live[1_001], 0) };
    let kept = live.split_off(1_500);
    // SAFETY: `written` gave the blocks, which nothing uses.
    unsafe { release(family, live) };
    let (said, given) = trimmed(family);
    assert!(said >= given && said - given <= PART, "{said}, {given}");
    assert_eq!(trimmed(family), (0, 0));
    locked.unlock();
    let (said, given) = trimmed(family);
    assert!(said == 0 && given > 0, "{said}, {given}: no longer locked");
    // SAFETY: `written` gave the blocks, which nothing uses.
    unsafe { release(family, kept) };
    let (said, given) = trimmed(family);
    assert_eq!(said, given, "as before the lock");
    assert_eq!(family.figures().vm_pages, 0);
}
