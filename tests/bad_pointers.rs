//! Pointers that no program should release: each is refused, and changes nothing.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::thread;

use mm::{FreeError, MmBox, MmManaged, PageFamily};
use mm_tests::{OwnedBlock, Random, Tally, family, figures, release_all};

/// Tries bad pointers, and counts them.
#[derive(Default)]
struct Bad(Tally);

impl Bad {
    /// The answer to a pointer that is no live block.
    fn refused(&mut self, address: usize) -> FreeError {
        let pointer = NonNull::without_provenance(NonZeroUsize::new(address).expect("not null"));
        self.0.bad_inputs += 1;
        // SAFETY: no live block starts there, which is what the call answers.
        unsafe { mm::xfree_raw(pointer) }.expect_err("nothing to release")
    }

    fn foreign(&mut self, address: usize) {
        let answer = self.refused(address);
        assert!(matches!(answer, FreeError::Foreign { .. }), "{answer}");
    }

    fn interior(&mut self, address: usize) {
        let answer = self.refused(address);
        assert!(matches!(answer, FreeError::Interior { .. }), "{answer}");
    }

    fn not_live(&mut self, address: usize) {
        let answer = self.refused(address);
        assert!(matches!(answer, FreeError::NotLive { .. }), "{answer}");
    }

    /// A block that was released, and whose units may be in the middle of another one since.
    fn stale(&mut self, address: usize) {
        let answer = self.refused(address);
        let is_right = matches!(
            answer,
            FreeError::NotLive { .. } | FreeError::Interior { .. }
        );
        assert!(is_right, "{answer}");
    }

    /// A live block of another family than the one that is asked.
    fn wrong_family(&mut self, asked: &'static PageFamily, address: usize) {
        let pointer = NonNull::without_provenance(NonZeroUsize::new(address).expect("not null"));
        self.0.bad_inputs += 1;
        // SAFETY: no block of that family starts there, which is what the call answers.
        let answer = unsafe { asked.release(pointer) };
        assert!(matches!(answer, Err(FreeError::WrongFamily { .. })));
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

/// Sizes of units and of blocks: in pages of each size, and in runs of their own.
const SHAPES: [(usize, usize); 12] = [
    (1, 1),
    (1, 40),
    (8, 1),
    (36, 1),
    (36, 5),
    (36, 300),
    (36, 1_500),
    (1_000, 30),
    (20_000, 1),
    (20_000, 2),
    (20_000, 500),
    (700_000, 1),
];

fn twenty(family: &'static PageFamily, units: usize) -> Vec<OwnedBlock> {
    (0..20).map(|_| OwnedBlock::new(family, units)).collect()
}

fn start_of(block: &OwnedBlock) -> usize {
    block.start().addr().get()
}

fn shape((size, units): (usize, usize), test: &str) -> &'static PageFamily {
    family(&format!("{test}-{size}-{units}"), size, 1)
}

#[test]
fn interior_pointers_of_every_shape() {
    let mut bad = Bad::default();
    let other = family("interior-other", 8, 8);
    for (size, units) in SHAPES {
        let family = shape((size, units), "interior");
        let blocks = twenty(family, units);
        let before = figures(family);
        for block in &blocks {
            let (start, bytes) = (start_of(block), size * units);
            let step = (bytes / 500).max(1);
            let inside = (1..bytes).step_by(step).chain([bytes - 1]);
            for offset in inside.filter(|offset| (1..bytes).contains(offset)) {
                bad.interior(start + offset);
            }
            bad.wrong_family(other, start);
            bad.wrong_family(other, start + bytes - 1);
        }
        let after = figures(family);
        assert_eq!(
            (after.live_blocks, after.live_units, after.blocks_released),
            (before.live_blocks, before.live_units, 0)
        );
        release_all(blocks);
        assert_eq!(figures(family).live_blocks, 0);
    }
}

#[test]
fn released_and_never_allocated_units_of_every_shape() {
    let mut bad = Bad::default();
    for (size, units) in SHAPES {
        let family = shape((size, units), "released");
        let mut blocks: Vec<_> = twenty(family, units).into_iter().map(Some).collect();
        let starts: Vec<_> = blocks.iter().flatten().map(start_of).collect();
        // From both ends and then the middle, so that they merge in all ways.
        for number in [
            0, 19, 1, 18, 2, 17, 9, 10, 8, 11, 5, 6, 7, 3, 4, 16, 15, 14, 13, 12,
        ] {
            blocks[number].take().expect("once").release();
            bad.not_live(starts[number]);
        }
        for round in 0..2 {
            for start in &starts {
                bad.not_live(*start);
            }
            if round == 0 {
                mm::trim();
            }
        }
        assert_eq!(figures(family).blocks_released, 20);
    }
    let block = OwnedBlock::new(family("never", 36, 4), 1);
    // The page's other units: in this thread's words, or free.
    let page = start_of(&block) & !0xffff;
    let others = (page..).step_by(36).take(1_820);
    for other in others.filter(|other| *other != start_of(&block)) {
        bad.not_live(other);
    }
    block.release();
}

#[test]
fn foreign_pointers() {
    let mut bad = Bad::default();
    let family = family("foreign", 36, 4);
    let block = OwnedBlock::new(family, 1);
    let on_stack = 7_u64;
    let on_heap = vec![7_u64; 10_000];
    let start = start_of(&block);
    for address in [
        (&raw const on_stack).addr(),
        on_heap.as_ptr().addr(),
        on_heap.as_ptr().wrapping_add(9_999).addr(),
        "of the program".as_ptr().addr(),
        (foreign_pointers as fn() as *const u8).addr(),
        // A family's own record is none of the memory it hands out.
        std::ptr::from_ref(family).addr(),
        1,
        8,
        4_096,
        usize::MAX,
        usize::MAX / 2,
        isize::MAX.cast_unsigned() + 1,
        // In a reservation, but no family's yet, or far outside of all.
        start + (1 << 36),
        start - (1 << 42),
        start ^ 1 << 46,
        start | 1 << 63,
    ] {
        bad.foreign(address);
    }
    assert_eq!(figures(family).live_blocks, 1);
    block.release();
}

/// Blocks for which more and more address space is reserved, in several GiB of it; none is touched.
#[test]
fn blocks_in_many_reservations() {
    let mut bad = Bad::default();
    let (family, other) = (family("far:large", 1 << 20, 8), family("far:other", 8, 8));
    let sizes = [40, 100, 1, 300, 700, 90, 1_500, 60, 1_025, 300];
    let blocks = sizes.map(|units| (OwnedBlock::new(family, units), units << 20));
    let starts = blocks
        .each_ref()
        .map(|(block, bytes)| (start_of(block), *bytes));
    for (start, bytes) in starts {
        let step = 31 << 20;
        for offset in (1..bytes).step_by(step).chain([bytes - 1]) {
            bad.interior(start + offset);
            bad.wrong_family(other, start + offset);
        }
    }
    let is_ours = |address: usize| {
        let inside = |(start, bytes): &(usize, usize)| address.wrapping_sub(*start) < *bytes;
        starts.iter().any(inside)
    };
    let first = starts.iter().map(|(start, _)| *start).min().expect("some");
    // What lies between them is other families', or no family's. Only this family is asked: the other tests
    // have live blocks there.
    for address in (first - (1 << 30)..first + (8 << 30)).step_by(17 << 20) {
        let pointer = NonNull::without_provenance(NonZeroUsize::new(address).expect("not null"));
        if !is_ours(address) {
            bad.0.bad_inputs += 1;
            // SAFETY: no block of the family starts there, which is what the call answers.
            let answer = unsafe { family.release(pointer) };
            let is_right = matches!(
                answer,
                Err(FreeError::Foreign { .. } | FreeError::WrongFamily { .. })
            );
            assert!(is_right, "{answer:?}");
        }
    }
    assert_eq!(
        figures(family).live_units,
        sizes.iter().sum::<usize>() as u64
    );
    for (block, _) in blocks {
        let start = start_of(&block);
        block.release();
        bad.not_live(start);
    }
    family.check().expect("the walker finds the same");
}

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Cached(#[expect(dead_code, reason = "only its place matters")] [u64; 3]);

fn start_of_box<B: mm::Block + ?Sized>(block: &MmBox<B>) -> usize {
    MmBox::as_ptr(block).cast::<u8>().addr()
}

/// Fills this thread's cache in every way: the hot slot, the stack, claims, bins, long rows.
/// Returns the addresses of all that is in it now.
fn fill_cache() -> Vec<usize> {
    let mut stale = Vec::new();
    let units: Vec<_> = (0..600).map(|_| MmBox::new(Cached([1; 3]))).collect();
    stale.extend(units.iter().map(start_of_box));
    let rows: Vec<_> = (2..400).step_by(3).map(Cached::xcalloc).collect();
    stale.extend(rows.iter().map(start_of_box));
    drop((units, rows));
    // Back to the maps, and from there into a claim: those beside the first.
    drop(mm::snapshot());
    let first = MmBox::new(Cached([1; 3]));
    let again: Vec<_> = (0..300).map(|_| MmBox::new(Cached([1; 3]))).collect();
    let rows: Vec<_> = (2..400).step_by(5).map(Cached::xcalloc).collect();
    stale.extend(again.iter().map(start_of_box));
    stale.extend(rows.iter().map(start_of_box));
    drop((first, again, rows));
    stale
}

fn fill_and_wait(filled: &Sender<Vec<usize>>, done: &mpsc::Receiver<()>) {
    filled.send(fill_cache()).expect("the test listens");
    // Ends when the other side is gone, however that came.
    let _ = done.recv();
}

/// What drops of boxes released is refused, wherever it is: in this thread's cache, in that of
/// another one, in that of one that has ended.
#[test]
fn units_in_caches() {
    let mut bad = Bad::default();
    for _ in 0..5 {
        for stale in fill_cache() {
            bad.stale(stale);
        }
        thread::scope(|scope| {
            let (filled, stale) = mpsc::channel();
            let (until, done) = mpsc::channel::<()>();
            let other = scope.spawn(move || fill_and_wait(&filled, &done));
            let stale = stale.recv().expect("a list");
            assert!(figures(Cached::page_family()).cached_units > 1_000);
            for address in &stale {
                bad.stale(*address);
            }
            drop(until);
            other.join().expect("no panic");
            for address in stale {
                bad.stale(address);
            }
        });
        assert_eq!(figures(Cached::page_family()).live_blocks, 0);
    }
}

/// Releases all blocks in two threads at once; how many were released by each.
fn race(blocks: &[NonZeroUsize]) -> (usize, usize) {
    /// So often a thread looks whether the other is there before it lets others run: on a busy machine it
    /// would find all released when it runs again.
    const LOOKS: usize = 100_000;
    let ready = AtomicUsize::new(0);
    let release_all = || {
        ready.fetch_add(1, Relaxed);
        // Woken threads would come too late.
        for look in 0.. {
            match ready.load(Relaxed) {
                2 => break,
                _ if look < LOOKS => std::hint::spin_loop(),
                _ => thread::yield_now(),
            }
        }
        let pointers = blocks
            .iter()
            .map(|address| NonNull::without_provenance(*address));
        // SAFETY: no thread uses the blocks; that another thread releases them too is what the calls
        // answer.
        let released = pointers.filter(|block| unsafe { mm::xfree_raw(*block) }.is_ok());
        released.count()
    };
    thread::scope(|scope| {
        let other = scope.spawn(release_all);
        (release_all(), other.join().expect("no panic"))
    })
}

/// Two threads release the same blocks at the same time: one of them each, by the maps.
#[test]
fn releases_that_race() {
    let mut bad = Bad::default();
    let shapes = [(24, 1), (24, 7), (24, 100), (24, 1_000), (70_000, 40)];
    let mut of_each = (0, 0);
    for (size, units) in shapes {
        let family = shape((size, units), "race");
        let rounds = if units * size > 1 << 20 { 20 } else { 300 };
        for _ in 0..rounds {
            let allocate = || family.alloc(units).expect("memory").addr();
            let blocks: Vec<_> = (0..200).map(|_| allocate()).collect();
            let (here, there) = race(&blocks);
            assert_eq!(here + there, 200, "{here} here and {there} there");
            of_each = (of_each.0 + here, of_each.1 + there);
            bad.0.bad_inputs += 200;
        }
        assert_eq!(figures(family).live_blocks, 0);
    }
    assert!(of_each.0 > 0 && of_each.1 > 0, "no race: {of_each:?}");
}

/// Steps of address space, each of one family for ever.
const STEP: usize = 64 << 10;

#[test]
fn addresses_never_change_type() {
    let mut owners: HashMap<usize, usize> = HashMap::new();
    let sizes = [1, 24, 100, 5_000, 80_000, 400_000];
    let families: Vec<_> = (0..60)
        .map(|number| family(&format!("owner-{number}"), sizes[number % sizes.len()], 1))
        .collect();
    let mut random = Random::new(1);
    for _ in 0..30 {
        let mut live = Vec::new();
        // Some families at a time, so that what others gave back could be taken.
        for _ in 0..10 {
            let number = random.below(families.len());
            let family = families[number];
            let size = family.layout().size();
            for _ in 0..random.below(300) {
                let most = (2 << 20) / size;
                let units = 1 + if random.below(8) == 0 {
                    random.below(most.max(1))
                } else {
                    random.below(2)
                };
                let block = OwnedBlock::new(family, units);
                let start = start_of(&block);
                for step in start / STEP..=(start + size * units - 1) / STEP {
                    let owner = *owners.entry(step).or_insert(number);
                    assert_eq!(owner, number, "{start:#x} was another family's");
                }
                live.push(block);
            }
        }
        release_all(live);
        mm::trim();
    }
    assert!(owners.len() > 1_000, "{}", owners.len());
    for family in families {
        let now = figures(family);
        assert_eq!((now.live_blocks, now.vm_pages), (0, 0));
    }
}
