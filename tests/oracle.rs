//! Random action sequences against an oracle: a map of live blocks.

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

use mm::{FreeError, PageFamily};
use mm_tests::{
    IS_GLOBAL, OwnedBlock, again_with, family, join_all, ones, release_all, resident, share,
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Action {
    Alloc { units: usize, zeroed: bool },
    Release { pick: usize },
    ReleaseSized { pick: usize },
    Resize { pick: usize, units: usize },
    ReleaseTwice { pick: usize },
    ReleaseInside { pick: usize, offset: usize },
    Snapshot,
    Trim,
}

fn units() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(1), 3 => 1..40_usize, 1 => 1..3_000_usize]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => (units(), any::<bool>()).prop_map(|(units, zeroed)| Action::Alloc { units, zeroed }),
        10 => any::<usize>().prop_map(|pick| Action::Release { pick }),
        3 => any::<usize>().prop_map(|pick| Action::ReleaseSized { pick }),
        4 => (any::<usize>(), units()).prop_map(|(pick, units)| Action::Resize { pick, units }),
        1 => any::<usize>().prop_map(|pick| Action::ReleaseTwice { pick }),
        1 => (any::<usize>(), 1..5_000_usize)
            .prop_map(|(pick, offset)| Action::ReleaseInside { pick, offset }),
        1 => Just(Action::Snapshot),
        1 => Just(Action::Trim),
    ]
}

fn layout() -> impl Strategy<Value = Layout> {
    let size = prop_oneof![
        8 => 1..300_usize,
        3 => 300..9_000_usize,
        1 => 9_000..400_000_usize,
        1 => Just(65_536_usize),
    ];
    let align = prop_oneof![8 => 0..5_u32, 2 => 5..13_u32, 1 => 13..19_u32];
    (size, align).prop_map(|(size, align)| {
        let layout = Layout::from_size_align(size, 1 << align);
        layout.expect("small").pad_to_align()
    })
}

/// A live block: its units, and the byte that fills it.
#[derive(Clone, Copy, Debug)]
struct Live {
    units: usize,
    fill: u8,
}

struct Oracle {
    family: &'static PageFamily,
    live: BTreeMap<usize, (NonNull<u8>, Live)>,
    allocated: u64,
    released: u64,
    /// Whether a block may be in the thread's cache.
    is_cached: bool,
}

impl Oracle {
    fn new(layout: Layout) -> Self {
        static FAMILIES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("oracle-{}", FAMILIES.fetch_add(1, Relaxed));
        Self {
            family: PageFamily::register(&name, layout).expect("a new name"),
            live: BTreeMap::new(),
            allocated: 0,
            released: 0,
            is_cached: false,
        }
    }

    fn unit(&self) -> usize {
        self.family.layout().size()
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Alloc { units, zeroed } => self.alloc(units, zeroed),
            Action::Release { pick } => self.release(pick, false),
            Action::ReleaseSized { pick } => self.release_sized(pick),
            Action::Resize { pick, units } => self.resize(pick, units),
            Action::ReleaseTwice { pick } => self.release(pick, true),
            Action::ReleaseInside { pick, offset } => self.release_inside(pick, offset),
            Action::Snapshot => self.compare(),
            Action::Trim => trim(),
        }
        self.family
            .check()
            .expect("the walker finds what the family keeps");
    }

    /// Keeps the largest blocks of the largest units within a few megabytes.
    fn at_most(&self, units: usize) -> usize {
        units.min((8 << 20) / self.unit()).max(1)
    }

    fn alloc(&mut self, units: usize, zeroed: bool) {
        let units = self.at_most(units);
        let block = if zeroed {
            self.family.alloc_zeroed(units)
        } else {
            self.family.alloc(units)
        };
        let block = block.expect("memory");
        let bytes = units * self.unit();
        if zeroed {
            assert!(bytes_of(block, bytes).iter().all(|byte| *byte == 0));
        }
        self.allocated += 1;
        self.fill(block, units);
    }

    /// Fills a block with a byte of its own, and expects it beside all others.
    fn fill(&mut self, block: NonNull<u8>, units: usize) {
        let (start, bytes) = (block.addr().get(), units * self.unit());
        assert_eq!(start % self.family.layout().align(), 0);
        if let Some((before, (_, live))) = self.live.range(..start).next_back() {
            assert!(
                before + live.units * self.unit() <= start,
                "overlaps the one before"
            );
        }
        if let Some((after, _)) = self.live.range(start..).next() {
            assert!(start + bytes <= *after, "overlaps the one after");
        }
        let fill = u8::try_from(self.allocated % 255).expect("below 255") + 1;
        // SAFETY: the block is new, ours, and this long.
        unsafe { block.write_bytes(fill, bytes) };
        self.live.insert(start, (block, Live { units, fill }));
    }

    /// Takes a block out of the map, after a look at its bytes.
    fn remove(&mut self, pick: usize) -> Option<(NonNull<u8>, Live)> {
        let (block, live) = self.picked(pick)?;
        let bytes = bytes_of(block, live.units * self.unit());
        assert!(bytes.iter().all(|byte| *byte == live.fill), "contents kept");
        self.live.remove(&block.addr().get());
        Some((block, live))
    }

    fn release_sized(&mut self, pick: usize) {
        let Some((block, live)) = self.remove(pick) else {
            return;
        };
        // SAFETY: the block is live, ours, and has so many units.
        unsafe { self.family.release_sized(block, live.units) };
        self.released += 1;
        self.is_cached = true;
    }

    fn resize(&mut self, pick: usize, units: usize) {
        let Some((block, live)) = self.remove(pick) else {
            return;
        };
        let units = self.at_most(units);
        // SAFETY: the block is live, ours, and has so many units.
        let resized = unsafe { self.family.resize(block, live.units, units) }.expect("memory");
        if resized != block {
            assert_ne!(units, live.units);
            (self.allocated, self.released) = (self.allocated + 1, self.released + 1);
            self.is_cached = true;
        }
        let bytes = bytes_of(resized, units.min(live.units) * self.unit());
        assert!(bytes.iter().all(|byte| *byte == live.fill), "contents kept");
        self.fill(resized, units);
    }

    fn picked(&self, pick: usize) -> Option<(NonNull<u8>, Live)> {
        let index = pick.checked_rem(self.live.len())?;
        self.live.values().nth(index).copied()
    }

    fn release(&mut self, pick: usize, twice: bool) {
        let Some((block, _)) = self.remove(pick) else {
            return;
        };
        // SAFETY: the block is live and ours.
        unsafe { self.family.release(block) }.expect("live");
        self.released += 1;
        if twice {
            // SAFETY: nothing is live there, which is what the call answers.
            let again = unsafe { self.family.release(block) };
            assert!(matches!(again, Err(FreeError::NotLive { .. })), "{again:?}");
        }
    }

    fn release_inside(&mut self, pick: usize, offset: usize) {
        let Some((block, live)) = self.picked(pick) else {
            return;
        };
        let bytes = live.units * self.unit();
        if offset >= bytes {
            return;
        }
        // SAFETY: the offset is inside the block.
        let inside = unsafe { block.add(offset) };
        // SAFETY: no block starts inside another, which is what the call answers.
        let refused = unsafe { mm::xfree_raw(inside) };
        assert!(
            matches!(refused, Err(FreeError::Interior { .. })),
            "{refused:?}"
        );
    }

    fn compare(&self) {
        let snapshot = mm::snapshot();
        let found = snapshot.family(self.family.name()).expect("listed");
        let units: usize = self.live.values().map(|(_, live)| live.units).sum();
        assert_eq!(found.live_blocks, self.live.len() as u64);
        assert_eq!(found.live_units, units as u64);
        assert_eq!(found.live_bytes, (units * self.unit()) as u64);
        assert_eq!(found.blocks_allocated, self.allocated);
        assert_eq!(found.blocks_released, self.released);
        assert!(found.peak_live_bytes >= found.live_bytes);
        assert!(found.mapped_bytes >= found.live_bytes);
        assert!(self.is_cached || found.cached_units == 0);
    }
}

/// What others can give back counts too, so that one test at a time trims.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Trims, which returns what a snapshot says before, and then there is no more.
fn trim() {
    let said = mm::snapshot().reclaimable_bytes();
    let given = mm::trim() as u64;
    if IS_GLOBAL {
        // The memory of the snapshot itself goes back, too.
        assert!(given >= said, "{given} {said}");
    } else {
        assert_eq!((given, mm::snapshot().reclaimable_bytes()), (said, 0));
    }
}

fn bytes_of<'a>(block: NonNull<u8>, bytes: usize) -> &'a [u8] {
    let bytes = NonNull::slice_from_raw_parts(block, bytes);
    // SAFETY: the callers pass live blocks of theirs, which they wrote or were given zeroed.
    unsafe { bytes.as_ref() }
}

/// Fewer where the slow ways of hardened families are taken.
fn cases() -> u32 {
    if std::env::var_os("MM_OPTIONS").is_some() {
        share(8, 16)
    } else {
        share(24, 96)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_and_figures_match(
        layout in layout(),
        actions in proptest::collection::vec(action(), 1..250),
    ) {
        let _alone = alone();
        let mut oracle = Oracle::new(layout);
        for action in actions {
            oracle.act(action);
        }
        oracle.compare();
        while !oracle.live.is_empty() {
            oracle.release(0, false);
        }
        oracle.compare();
        trim();
        let snapshot = mm::snapshot();
        let end = snapshot.family(oracle.family.name()).expect("listed");
        prop_assert_eq!((end.vm_pages, resident(end)), (0, 0));
    }
}

#[test]
fn they_match_in_hardened_mode() {
    for options in ["random,poison,guard", "zero"] {
        let child = again_with("blocks_and_figures_match", options).expect("the parent");
        let errors = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{options}: {errors}");
    }
}

/// Allocates so many blocks of one unit, and writes to them.
fn written(family: &'static PageFamily, count: usize) -> Vec<OwnedBlock> {
    let blocks = ones(family, count);
    for block in &blocks {
        // SAFETY: the block is live, ours, and has a unit.
        unsafe { block.start().write_bytes(1, family.layout().size()) };
    }
    blocks
}

#[test]
fn what_trim_returns_is_said_before() {
    let _alone = alone();
    // A large block that was never touched.
    let large = family("trim:large", 4_096, 8);
    OwnedBlock::new(large, 256).release();
    assert!(mm::snapshot().reclaimable_bytes() >= 1 << 20);
    trim();
    // Huge OS pages, of which only the first part is in use.
    let huge = family("trim:huge", 36, 4);
    let mut kept = Vec::new();
    for (number, block) in written(huge, 400_000).into_iter().enumerate() {
        if number % 20_000 == 0 {
            kept.push(block);
        } else {
            block.release();
        }
    }
    trim();
    written(huge, 10);
    trim();
    // What another thread holds back, it gives back at its next call.
    let (cached, seen) = (Barrier::new(2), Barrier::new(2));
    let others = family("trim:others", 1_000, 8);
    thread::scope(|threads| {
        let other = threads.spawn(|| {
            release_all(written(others, 300));
            cached.wait();
            seen.wait();
            drop(written(others, 1));
        });
        cached.wait();
        trim();
        seen.wait();
        join_all([other]);
    });
    trim();
}
