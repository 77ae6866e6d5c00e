//! The work that runs while calls are refused: each kind of block, in each way that calls the kernel.

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::error::{AllocError, RegisterError};
use crate::family::PageFamily;

/// One way to use a family, and the size of its units in bytes. It leaves nothing live.
#[derive(Clone, Copy)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) unit: usize,
    /// Returns how often an allocation was refused.
    pub(super) run: fn(&'static PageFamily) -> usize,
}

pub(super) const WORKS: [Work; 7] = [
    Work {
        name: "units",
        unit: 36,
        run: units,
    },
    Work {
        name: "rows",
        unit: 36,
        run: rows,
    },
    Work {
        name: "large",
        unit: 270_000,
        run: large,
    },
    Work {
        name: "growing",
        unit: 70_000,
        run: growing,
    },
    Work {
        name: "huge",
        unit: 1_024,
        run: huge,
    },
    Work {
        name: "few",
        unit: 36,
        run: few,
    },
    Work {
        name: "register",
        unit: 64,
        run: register,
    },
];

#[derive(Clone, Copy)]
struct Allocated {
    block: NonNull<u8>,
    units: usize,
    mark: u8,
}

/// A family's blocks, and the number of refusals.
///
/// # Invariants
///
/// 1. Each item of `live` is a live block of `family` with these units, and only this value uses it.
/// 2. Each byte of the block is its `mark`.
struct Held {
    family: &'static PageFamily,
    live: Vec<Allocated>,
    /// The numbers of blocks that were allocated and released since the family exists.
    so_far: (u64, u64),
    refused: usize,
}

impl Held {
    fn new(family: &'static PageFamily) -> Self {
        let now = family.figures();
        Self {
            family,
            so_far: (now.blocks_allocated, now.blocks_released),
            live: Vec::new(),
            refused: 0,
        }
    }

    /// Allocates a block, and checks that it is zero. After a refusal checks that all figures are unchanged.
    fn alloc(&mut self, units: usize) {
        match self.family.alloc_zeroed(units) {
            // SAFETY: `alloc_zeroed` gave the block just now, and no other code has it.
            Ok(block) => unsafe { self.fill(block, units) },
            Err(AllocError::OutOfMemory { .. }) => {
                self.refused += 1;
                // A hundred comparisons are enough.
                if self.refused <= 100 {
                    self.compare();
                }
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// # Safety
    ///
    /// 1. `block` is a live block of `units` units of the family, all bytes zero, and no other code has it.
    unsafe fn fill(&mut self, block: NonNull<u8>, units: usize) {
        let mark = self.live.len().to_le_bytes()[0] | 1;
        let bytes = units * self.family.layout().size();
        let row = NonNull::slice_from_raw_parts(block, bytes);
        // SAFETY: by requirement 1 the block is live, and all its bytes were written.
        assert!(unsafe { row.as_ref() }.iter().all(|byte| *byte == 0));
        // SAFETY: by requirement 1 the block is live with these `bytes`, and no other code has it.
        unsafe { block.write_bytes(mark, bytes) };
        self.live.push(Allocated { block, units, mark });
        self.so_far.0 += 1;
    }

    /// Gives each block the length `units`.
    fn resize(&mut self, units: usize) {
        for number in 0..self.live.len() {
            let Allocated {
                block,
                units: old,
                mark,
            } = self.live[number];
            // SAFETY: by invariant 1 the block is live with `old` units, and only this value uses it.
            let Ok(new) = (unsafe { self.family.resize(block, old, units) }) else {
                self.refused += 1;
                continue;
            };
            let bytes = units * self.family.layout().size();
            let written = old.min(units) * self.family.layout().size();
            // SAFETY: `written` bytes, which is not more than `bytes`, were kept by `resize`.
            let more = unsafe { new.add(written) };
            // SAFETY: `resize` gave the block of `bytes` bytes just now, and no other code has it.
            unsafe { more.write_bytes(mark, bytes - written) };
            if new != block {
                self.so_far = (self.so_far.0 + 1, self.so_far.1 + 1);
            }
            self.live[number] = Allocated {
                block: new,
                units,
                mark,
            };
            self.compare();
        }
    }

    /// Checks that the family's figures are those of the blocks here, and that the walker finds the same.
    fn compare(&self) {
        self.family.check().expect("consistent");
        let now = self.family.figures();
        let units: usize = self.live.iter().map(|one| one.units).sum();
        assert_eq!(
            (now.live_blocks, now.live_units),
            (self.live.len() as u64, units as u64)
        );
        assert_eq!((now.blocks_allocated, now.blocks_released), self.so_far);
    }

    /// Releases the `last` newest blocks, through the thread's cache or straight to the maps.
    fn release(&mut self, last: usize, through_cache: bool) {
        for one in self.live.split_off(self.live.len().saturating_sub(last)) {
            // SAFETY: by invariants 1 and 2 the block is live and was written to.
            unsafe { one.check_contents(self.family) };
            self.so_far.1 += 1;
            if through_cache {
                let Allocated { block, units, .. } = one;
                // SAFETY: by invariant 1 the block is live, and it was taken off the list.
                unsafe { self.family.release_sized(block, units) };
            } else {
                // SAFETY: by invariant 1 the block is live, and it was taken off the list.
                unsafe { release(self.family, one.block) };
            }
        }
        self.compare();
    }
}

impl Allocated {
    /// Checks that the block holds the bytes that were written to it.
    ///
    /// # Safety
    ///
    /// 1. It is a live block of the family with these units, and nothing else writes to it.
    unsafe fn check_contents(&self, family: &'static PageFamily) {
        let bytes = self.units * family.layout().size();
        let row = NonNull::slice_from_raw_parts(self.block, bytes);
        // SAFETY: by requirement 1 the block is live with these `bytes`, which `fill` wrote.
        let row = unsafe { row.as_ref() };
        assert!(row.iter().all(|byte| *byte == self.mark));
    }
}

/// # Safety
///
/// 1. `block` is a live block of the family.
/// 2. Nothing uses it any more.
unsafe fn release(family: &'static PageFamily, block: NonNull<u8>) {
    // SAFETY: by requirements 1 and 2 the block is live, and nothing uses it.
    unsafe { family.release(block) }.expect("live");
}

fn trim(family: &'static PageFamily) {
    family.trim();
    family.check().expect("consistent after a trim");
}

/// Single units, more than one page of them, through a cache that grows and overflows.
fn units(family: &'static PageFamily) -> usize {
    let mut held = Held::new(family);
    (0..2_100).for_each(|_| held.alloc(1));
    held.release(1_300, true);
    trim(family);
    (0..100).for_each(|_| held.alloc(1));
    held.release(usize::MAX, false);
    trim(family);
    held.refused
}

/// Blocks of several units: for bins, for lists by length, and too long for both.
fn rows(family: &'static PageFamily) -> usize {
    let mut held = Held::new(family);
    for through_cache in [true, false] {
        for units in [2, 3, 17, 31, 32, 100, 455, 1_000, 1_800].repeat(3) {
            held.alloc(units);
        }
        held.release(14, through_cache);
        trim(family);
        [5, 40, 900].into_iter().for_each(|units| held.alloc(units));
        held.release(usize::MAX, !through_cache);
    }
    trim(family);
    held.refused
}

/// Blocks larger than a VM page: made, retained, returned, joined, split.
fn large(family: &'static PageFamily) -> usize {
    let mut held = Held::new(family);
    (1..4).for_each(|units| held.alloc(units));
    held.release(2, true);
    trim(family);
    [4, 1, 1].into_iter().for_each(|units| held.alloc(units));
    held.release(usize::MAX, false);
    trim(family);
    held.refused
}

/// Large blocks that grow into kept and into free address space, and that move to other places.
fn growing(family: &'static PageFamily) -> usize {
    let mut held = Held::new(family);
    for _ in 0..2 {
        held.alloc(16);
        held.release(1, true);
        [2, 3].into_iter().for_each(|units| held.alloc(units));
        [4, 7].into_iter().for_each(|units| held.resize(units));
        trim(family);
        [9, 30, 8].into_iter().for_each(|units| held.resize(units));
        held.release(usize::MAX, false);
    }
    trim(family);
    held.refused
}

/// More than eight megabytes, where mm starts to ask for huge pages. Most of them are released.
fn huge(family: &'static PageFamily) -> usize {
    let mut live = Vec::new();
    let mut refused = 0;
    for _ in 0..2 {
        let blocks = (0..170).map(|_| family.alloc(60));
        let before = live.len();
        live.extend(blocks.filter_map(Result::ok));
        refused += before + 170 - live.len();
        // The live memory falls far below the peak, and a few blocks stay in the last extent.
        let left = live.split_off(live.len().saturating_sub(5));
        // SAFETY: `alloc` gave the blocks, which nothing uses.
        let give_up = |block| unsafe { release(family, block) };
        live.into_iter().for_each(give_up);
        live = left;
        family.check().expect("consistent after releases");
        trim(family);
    }
    // SAFETY: `alloc` gave the blocks, which nothing uses.
    let give_up = |block| unsafe { release(family, block) };
    live.into_iter().for_each(give_up);
    trim(family);
    refused
}

/// A few units: most calls are for the records of the thread itself.
fn few(family: &'static PageFamily) -> usize {
    let mut held = Held::new(family);
    (0..40).for_each(|_| held.alloc(1));
    held.release(usize::MAX, true);
    held.refused
}

/// A name that needs a chunk of records for itself. It is registered completely or not at all.
fn register(family: &'static PageFamily) -> usize {
    let name = format!("{}-{}", family.name(), "long".repeat(300_000));
    let layout = Layout::new::<u64>();
    let mut refused = 0;
    let made = match PageFamily::register(&name, layout) {
        Ok(made) => Some(made),
        // An earlier round registered it.
        Err(RegisterError::DuplicateName { .. }) => None,
        Err(RegisterError::OutOfMemory) => {
            refused += 1;
            None
        }
        Err(other) => panic!("{other}"),
    };
    if let Some(made) = made {
        refused += few(made);
        let again = PageFamily::register(&name, layout);
        assert!(matches!(again, Err(RegisterError::DuplicateName { .. })));
    }
    refused
}
