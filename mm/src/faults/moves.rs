//! Large blocks whose memory is moved: what they hold, what the family counts, and what happens if the kernel refuses.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;
use std::thread;

use super::family_of;
use crate::family::PageFamily;
use crate::os::faulty::{Call, Fault, refusing};
use crate::os::lies::{Lie, lying};

const MIB: usize = 1 << 20;

/// A block of a family of single bytes, whose bytes follow from their offsets.
///
/// # Invariants
///
/// 1. `first` is the start of a live block of `bytes` bytes of `family`, which only this value uses.
struct Grown {
    family: &'static PageFamily,
    first: NonNull<u8>,
    bytes: usize,
}

fn bytes_of(name: &str) -> &'static PageFamily {
    PageFamily::register(name, Layout::new::<u8>()).expect("a new name")
}

/// The byte at `offset`, from one OS page to the next another one.
fn byte_at(offset: usize) -> u8 {
    (offset / 1_000).to_le_bytes()[0] | 1
}

impl Grown {
    /// Makes a block with another one behind it, so that it cannot become longer in its place.
    fn new(family: &'static PageFamily, bytes: usize) -> (Self, Self) {
        let [one, behind] = [bytes, 2 * 65_536].map(|bytes| {
            let first = family.alloc(bytes).expect("memory");
            let block = Self {
                family,
                first,
                bytes,
            };
            block.write(0);
            block
        });
        (one, behind)
    }

    fn write(&self, from: usize) {
        for offset in (from..self.bytes).step_by(1_000) {
            // SAFETY: by invariant 1 the block has more bytes than `offset`.
            let byte = unsafe { self.first.add(offset) };
            // SAFETY: by invariant 1 the byte is this value's alone. Volatile, for the kernel moves it.
            unsafe { byte.write_volatile(byte_at(offset)) };
        }
    }

    fn check(&self) {
        for offset in (0..self.bytes).step_by(1_000) {
            // SAFETY: by invariant 1 the block has more bytes than `offset`.
            let byte = unsafe { self.first.add(offset) };
            // SAFETY: by invariant 1 the byte is this value's alone. Volatile, for the kernel moves it.
            assert_eq!(unsafe { byte.read_volatile() }, byte_at(offset), "{offset}");
        }
        self.family.check().expect("consistent");
    }

    /// Gives the block `bytes` bytes by a move, and returns whether that was possible.
    fn grow(&mut self, bytes: usize) -> bool {
        let live = self.family.figures().live_units;
        // SAFETY: by invariant 1 the block has so many bytes, and only this value uses it.
        let moved = unsafe { self.family.heap.relocate(self.first, self.bytes, bytes) };
        let Some(first) = moved else {
            assert_eq!(self.family.figures().live_units, live);
            self.check();
            return false;
        };
        let more = (bytes - self.bytes) as u64;
        assert_eq!(self.family.figures().live_units, live + more);
        self.first = first;
        let written = self.bytes.next_multiple_of(1_000);
        self.bytes = bytes;
        self.write(written);
        self.check();
        true
    }

    fn release(self) {
        self.check();
        // SAFETY: by invariant 1 the block has so many bytes. It is not used any more.
        unsafe { self.family.release_sized(self.first, self.bytes) };
        self.family.check().expect("consistent");
    }
}

/// Mappings of the process.
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the kernel says it");
    maps.lines().count()
}

#[test]
fn a_block_moves_with_its_contents_and_leaves_zeros() {
    let family = bytes_of("moves:contents");
    let (mut block, behind) = Grown::new(family, 3 * MIB);
    let old = block.first;
    assert!(block.grow(5 * MIB + 1) && block.first != old);
    assert!(block.grow(9 * MIB) && block.grow(20 * MIB));
    let figures = family.figures();
    assert_eq!((figures.live_blocks, figures.blocks_allocated), (2, 5));
    assert_eq!(figures.peak, (20 * MIB + 2 * 65_536) as u64);
    // The family uses the old place again, without clearing it.
    let again = family.alloc_zeroed(3 * MIB).expect("memory");
    assert_eq!(again, old);
    let bytes = NonNull::slice_from_raw_parts(again, 3 * MIB);
    // SAFETY: `alloc_zeroed` gave so many bytes.
    assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == 0));
    // SAFETY: `alloc_zeroed` gave the block, which is not used any more.
    unsafe { family.release_sized(again, 3 * MIB) };
    block.release();
    behind.release();
    assert_eq!(family.figures().live_blocks, 0);
    family.trim();
    family.check().expect("consistent");
    assert_eq!(family.figures().reclaimable, 0);
}

#[test]
fn a_block_that_grows_slowly_is_copied_at_times() {
    let family = bytes_of("moves:slowly");
    let (mut block, behind) = Grown::new(family, MIB);
    let lengths = (1..50).map(|number| MIB + number * 65_536);
    let moved = lengths
        .map(|bytes| block.grow(bytes))
        .filter(|moved| *moved)
        .count();
    assert!((10..20).contains(&moved), "{moved} of 49");
    block.release();
    behind.release();
}

#[test]
fn the_mappings_of_moves_go_when_the_memory_is_given_back() {
    let family = bytes_of("moves:mappings");
    let before = mappings();
    let mut blocks = Vec::new();
    for _ in 0..300 {
        let (mut block, behind) = Grown::new(family, MIB);
        assert!(block.grow(2 * MIB));
        blocks.extend([block, behind]);
    }
    let most = mappings();
    assert!(most > before + 300);
    // A half is released and cut into smaller blocks, which may have the moved parts.
    let kept = blocks.split_off(300);
    blocks.into_iter().for_each(Grown::release);
    let small: Vec<_> = (0..100).map(|_| Grown::new(family, 200_000)).collect();
    let small = small.into_iter().flat_map(|(one, other)| [one, other]);
    small.chain(kept).for_each(Grown::release);
    family.trim();
    let after = mappings();
    // Other tests run at the same time, and map some.
    assert!(after + 300 < most, "{before}, {most}, {after}");
}

/// Refuses the `nth` call of a kind while a block moves three times, and is released. Returns whether it was reached.
fn refused_at(fault: Fault) -> bool {
    let Fault { call, nth, lasting } = fault;
    let family = bytes_of(&format!("moves:refused-{call:?}-{nth}-{lasting}"));
    let (mut block, behind) = Grown::new(family, 2 * MIB);
    let work = || {
        let moved = [4, 6, 9].map(|mib| block.grow(mib * MIB));
        block.release();
        family.trim();
        moved
    };
    let (moved, reached) = refusing(fault, work);
    family.check().expect("consistent");
    assert!(reached || moved == [true; 3], "refused without a fault");
    let (mut again, next) = Grown::new(family, 2 * MIB);
    assert!(again.grow(4 * MIB));
    [behind, again, next].into_iter().for_each(Grown::release);
    assert_eq!(family.figures().live_blocks, 0);
    reached
}

#[test]
fn a_refused_move_changes_nothing() {
    for call in [Some(Call::Move), None] {
        for lasting in [false, true] {
            let fault = |nth| Fault { call, nth, lasting };
            let calls = (0..100).take_while(|nth| refused_at(fault(*nth))).count();
            assert!((7..100).contains(&calls), "{calls} calls of {call:?}");
        }
    }
}

#[test]
fn a_kernel_that_does_not_move_is_found_out() {
    let family = bytes_of("moves:lies");
    let (mut block, behind) = Grown::new(family, 2 * MIB);
    for lie in [Lie::Move, Lie::Renewal] {
        assert!(!lying(lie, || block.grow(4 * MIB)), "{lie:?}");
    }
    assert!(block.grow(4 * MIB));
    [block, behind].into_iter().for_each(Grown::release);
}

#[test]
fn locked_memory_and_short_or_shrinking_blocks_stay() {
    let family = bytes_of("moves:locked");
    let (mut block, behind) = Grown::new(family, 2 * MIB);
    let page = block.first.as_ptr().wrapping_add(MIB).cast();
    // SAFETY: by invariant 1 of `Grown` the page is one of the block. `mlock` changes no contents.
    assert_eq!(unsafe { libc::mlock(page, 1) }, 0);
    assert!(!block.grow(4 * MIB));
    // SAFETY: by invariant 1 of `Grown` the page is one of the block. `munlock` changes no contents.
    assert_eq!(unsafe { libc::munlock(page, 1) }, 0);
    assert!(block.grow(4 * MIB));
    let (mut short, next) = Grown::new(family, 500_000);
    assert!(!short.grow(2 * MIB));
    // SAFETY: by invariant 1 of `Grown` the block has so many bytes, and nothing uses it meanwhile.
    let shorter = unsafe { family.heap.relocate(block.first, block.bytes, MIB) };
    assert_eq!(shorter, None);
    [block, behind, short, next]
        .into_iter()
        .for_each(Grown::release);
    let limited = family_of("moves:limited", 1);
    limited.heap.set_limit(16 << 20);
    let (mut block, behind) = Grown::new(limited, 2 * MIB);
    assert!(!block.grow(4 * MIB));
    [block, behind].into_iter().for_each(Grown::release);
}

#[test]
fn threads_that_map_memory_get_none_of_the_family() {
    let family = bytes_of("moves:threads");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 1..3_u8 {
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Relaxed) {
                    let mapped = crate::os::Mapping::reserve(MIB, 4_096).expect("address space");
                    mapped.commit(0..MIB).expect("memory");
                    // SAFETY: `commit` made the bytes usable, and only this thread has them.
                    unsafe { mapped.at(0).write_bytes(number, MIB) };
                    let bytes = NonNull::slice_from_raw_parts(mapped.at(0), MIB);
                    // SAFETY: `write_bytes` wrote all of them, and only this thread has them.
                    assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == number));
                }
            });
        }
        for _ in 0..60 {
            let (mut block, behind) = Grown::new(family, MIB);
            assert!(block.grow(2 * MIB) && block.grow(4 * MIB));
            [block, behind].into_iter().for_each(Grown::release);
            family.trim();
        }
        is_over.store(true, Relaxed);
    });
}
