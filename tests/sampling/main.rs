//! Samples of untyped memory: no bias, exact figures, forks, threads.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]

mod estimates;
mod exact;
mod formats;
mod growth;
mod life;
mod seams;

use std::alloc::{GlobalAlloc, Layout};
use std::sync::{Mutex, MutexGuard, PoisonError};

// With the feature, the library of the tests has it.
#[cfg_attr(not(feature = "global"), global_allocator)]
static HEAP: mm::Global = mm::Global::new();

/// What mm keeps is exact while no other test allocates.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of code of [`Class::allocate`], at most.
const CODE: usize = 160;

/// Blocks of `SIZE` bytes, whose stacks all contain an address of [`site`](Self::site).
struct Class<const SIZE: usize>;

impl<const SIZE: usize> Class<SIZE> {
    fn layout() -> Layout {
        Layout::from_size_align(SIZE, 1).expect("a layout")
    }

    #[inline(never)]
    fn allocate(blocks: &mut [*mut u8]) {
        for block in blocks {
            // SAFETY: the layout has a size.
            *block = unsafe { HEAP.alloc(Self::layout()) };
            assert!(!block.is_null());
        }
    }

    fn release(blocks: &mut [*mut u8]) {
        for block in blocks {
            // SAFETY: `allocate` gave the block for the same layout, and nothing uses it.
            unsafe { HEAP.dealloc(*block, Self::layout()) };
        }
    }

    /// Where the code of `allocate` begins.
    fn site() -> usize {
        (Self::allocate as fn(&mut [*mut u8])) as usize
    }
}

/// The stacks that `site` is on: those with an address of which `site` is the nearest start among `sites`.
fn usage_at(profile: &mm::HeapProfile, site: usize, sites: &[usize]) -> mm::HeapUsage {
    let start_of = |address: usize| {
        let before = sites.iter().copied().filter(|start| *start < address);
        before.max().filter(|start| address - start < CODE)
    };
    let mut usage = mm::HeapUsage::default();
    for stack in &profile.stacks {
        let mut starts = stack
            .addresses
            .iter()
            .filter_map(|address| start_of(*address));
        if starts.next() == Some(site) {
            usage += stack.usage;
        }
    }
    usage
}
