//! Refuses each call into the kernel in turn, and runs the walker after each.

mod arenas;
mod every_nth;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod lies;
#[cfg(all(target_os = "linux", not(mm_portable)))]
mod locked;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod moves;
mod work;

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::PageFamily;
use crate::heap::{RECORDS, committed_bytes};
use crate::os::faulty::{failing_at, refusing_above, refusing_below};

/// The most calls of the sequence below. The test fails if there are more.
const MOST_CALLS: usize = 200;

/// Units of the sequence: single ones, rows, and blocks larger than a VM page.
const ROWS: [usize; 9] = [1, 1, 30, 2_000, 5_000, 1, 700, 9_000, 1];

struct Allocated {
    block: NonNull<u8>,
    bytes: usize,
}

/// Allocates and releases. Returns the number of refusals, and leaves nothing live.
fn sequence(family: &'static PageFamily) -> usize {
    let mut refused = 0;
    for _ in 0..3 {
        let mut live = Vec::new();
        for units in ROWS.into_iter().cycle().take(27) {
            match family.alloc_zeroed(units) {
                // SAFETY: `alloc_zeroed` gave the block just now, and no other code has it.
                Ok(block) => live.push(unsafe { fill(family, block, units) }),
                Err(AllocError::OutOfMemory { .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
            family.check().expect("consistent after an allocation");
        }
        for Allocated { block, bytes } in live {
            let bytes = NonNull::slice_from_raw_parts(block, bytes);
            // SAFETY: `alloc_zeroed` gave the block, and `fill` wrote as many bytes.
            assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == 7));
            // SAFETY: `alloc_zeroed` gave the block, which is not used any more.
            unsafe { family.release(block) }.expect("live");
        }
        family.check().expect("consistent after releases");
        family.trim();
        family.check().expect("consistent after a trim");
    }
    refused
}

/// # Safety
///
/// 1. `block` is a live block of `units` units of the family, all bytes zero, and no other code has it.
unsafe fn fill(family: &'static PageFamily, block: NonNull<u8>, units: usize) -> Allocated {
    let bytes = units * family.layout().size();
    let row = NonNull::slice_from_raw_parts(block, bytes);
    // SAFETY: by requirement 1 the block is live, and all its bytes were written.
    assert!(unsafe { row.as_ref() }.iter().all(|byte| *byte == 0));
    // SAFETY: by requirement 1 the block is live with these `bytes`, and no other code has it.
    unsafe { block.write_bytes(7, bytes) };
    Allocated { block, bytes }
}

fn family_of(name: &str, size: usize) -> &'static PageFamily {
    let layout = Layout::from_size_align(size, 4).expect("a layout");
    PageFamily::register(name, layout).expect("a new name")
}

#[test]
fn every_refused_call_leaves_the_family_whole() {
    for nth in 0..MOST_CALLS {
        let family = family_of(&format!("faults-{nth}"), 36);
        let (refused, reached) = failing_at(nth, || sequence(family));
        let live = family.figures();
        assert_eq!((live.live_blocks, live.live_units), (0, 0));
        // The kernel refuses nothing any more, so everything succeeds.
        assert_eq!(sequence(family), 0);
        if !reached {
            assert_eq!(refused, 0);
            assert!(nth > 10, "the sequence hardly called the kernel");
            return;
        }
    }
    panic!("the sequence makes more than {MOST_CALLS} calls");
}

#[test]
fn large_units_survive_refusals() {
    for nth in 0..40 {
        let family = family_of(&format!("large-faults-{nth}"), 300_000);
        let (_, reached) = failing_at(nth, || {
            let live: Vec<_> = (1..12)
                .filter_map(|units| family.alloc_zeroed(units).ok())
                .collect();
            for block in live.into_iter().rev() {
                // SAFETY: `alloc_zeroed` gave the block, which is not used.
                unsafe { family.release(block) }.expect("live");
                family.check().expect("consistent");
            }
            family.trim()
        });
        family.check().expect("consistent");
        assert_eq!(family.figures().live_blocks, 0);
        if !reached {
            return;
        }
    }
}

#[test]
fn units_are_released_without_memory_for_a_stack() {
    let family = family_of("faults-stack", 36);
    // SAFETY: `alloc` gave the blocks of one unit, which nothing uses.
    let release = |block| unsafe { family.release_sized(block, 1) };
    let live: Vec<_> = (0..40).map(|_| family.alloc(1).expect("memory")).collect();
    failing_at(0, || {
        while RECORDS.zeroed::<u64>(1).is_ok() {}
        live.into_iter().for_each(release);
    });
    family.check().expect("consistent");
    assert_eq!(family.figures().live_blocks, 0);
}

#[test]
fn refusals_use_nothing_up() {
    // The kernel allows records but no pages: no arena is that small. One map of 2 KiB for each try would be
    // 8 MiB.
    let family = family_of("faults-again", 4);
    let before = RECORDS.reserved();
    let tries = || (0..4_000).filter(|_| family.alloc(2_000).is_err()).count();
    // The first few fit into memory that was committed before.
    assert!(refusing_above(64 << 10, tries) > 3_000);
    let grown = RECORDS.reserved() - before;
    // Other tests run at the same time and use a few.
    assert!(grown < 6 << 20, "{grown} bytes of records more");
}

#[test]
fn address_space_without_a_record_is_used_at_the_next_try() {
    let family = family_of("faults-unrecorded", 4_096);
    let before = committed_bytes();
    // The kernel allows pages but no records.
    refusing_below(2 << 20, || {
        for _ in 0..3_000 {
            while RECORDS.zeroed::<u64>(1).is_ok() {}
            // If another test got records in the meantime, this succeeds.
            let _ = family.alloc(16);
        }
    });
    let used = committed_bytes() - before;
    // Other tests run at the same time and use some. One page for each try would be 190 MiB.
    assert!(used < 128 << 20, "{used} bytes of address space");
    family.check().expect("consistent");
}
