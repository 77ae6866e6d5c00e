//! The limit of the whole heap. It holds for the process, so each test runs in a process of its own.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use mm::{AllocError, MmBox, MmManaged};
use mm_tests::is_child_with;

// With the feature, the library of the tests has it.
#[cfg_attr(not(feature = "global"), global_allocator)]
static HEAP: mm::Global = mm::Global::new();

const MIB: u64 = 1 << 20;

#[derive(MmManaged)]
struct Row(#[expect(dead_code, reason = "it takes room")] [u8; 1_000]);

#[derive(MmManaged)]
struct Other(#[expect(dead_code, reason = "it takes room")] [u8; 3_000]);

/// Fills the heap with rows until the limit refuses one. `rows` has room, since no memory is left on the way.
fn fill(rows: &mut Vec<MmBox<Row>>) -> AllocError {
    loop {
        match MmBox::try_new(Row([1; 1_000])) {
            Ok(row) => rows.push(row),
            Err(error) => return error,
        }
    }
}

/// Runs `body` without the limit, which would refuse a test the text of its panic.
fn without_limit<T>(body: impl FnOnce() -> T) -> T {
    let limit = mm::limit_bytes();
    mm::set_limit(None);
    let answer = body();
    mm::set_limit(limit);
    answer
}

#[test]
fn a_typed_allocation_is_refused_with_figures_unchanged() {
    if !is_child_with(
        "a_typed_allocation_is_refused_with_figures_unchanged",
        "limit=64MiB",
    ) {
        return;
    }
    assert_eq!(mm::limit_bytes(), Some(64 * MIB));
    let mut rows = Vec::with_capacity(100_000);
    let error = fill(&mut rows);
    let held = mm::held_bytes();
    without_limit(|| {
        let AllocError::QuotaExceeded {
            limit_bytes,
            whole_heap,
            largest,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((limit_bytes, whole_heap), (64 * MIB, true));
        assert_eq!(largest[0].map(|holder| holder.family), Some("Row"));
        assert_eq!(largest[1].map(|holder| holder.family), Some("(untyped)"));
        let said = error.to_string();
        let limit = "the limit of the whole heap is 67108864 bytes";
        assert!(said.contains(limit), "{said}");
        // An extent of 2 MiB did not fit any more, nor one of 64 KiB.
        assert!(held <= 64 * MIB && held > 64 * MIB - 64 * 1_024, "{held}");
    });

    let live = |snapshot: mm::Snapshot| snapshot.family("Row").map(|rows| rows.live_blocks);
    let before = without_limit(|| live(mm::snapshot()));
    let held = mm::held_bytes();
    let refused = (0..1_000).all(|_| MmBox::try_new(Row([1; 1_000])).is_err());
    assert_eq!(mm::held_bytes(), held);
    mm::set_limit(None);
    assert!(refused);
    assert_eq!(before, Some(rows.len() as u64));
    assert_eq!(live(mm::snapshot()), before);
    mm::check().expect("what mm keeps is right");

    rows.clear();
    mm::set_limit(64 * MIB);
    fill(&mut rows);
    mm::set_limit(None);
    assert!(rows.len() > 50_000, "{}", rows.len());
}

#[test]
fn untyped_allocations_are_null() {
    if !is_child_with("untyped_allocations_are_null", "") {
        return;
    }
    mm::set_limit(mm::held_bytes() + 32 * MIB);
    for (size, least) in [(100, 250_000), (5_000, 5_000), (100_000, 150), (3 << 20, 7)] {
        let layout = Layout::from_size_align(size, 8).expect("small");
        let mut blocks = Vec::with_capacity(400_000);
        loop {
            // SAFETY: the layout has a size.
            let block = unsafe { HEAP.alloc(layout) };
            if block.is_null() {
                break;
            }
            blocks.push(block);
        }
        let mut none = Vec::<u8>::new();
        let is_refused = none.try_reserve(64 << 20).is_err();
        let is_below = Some(mm::held_bytes()) <= mm::limit_bytes();
        without_limit(|| {
            assert!(is_refused && is_below);
            assert!(blocks.len() >= least, "{size}: {}", blocks.len());
        });
        for block in blocks {
            // SAFETY: the block is live, of this layout, and used no more.
            unsafe { HEAP.dealloc(block, layout) };
        }
    }
    mm::set_limit(None);
    drop(vec![1_u8; 200 << 20]);
    mm::check().expect("what mm keeps is right");
}

/// A family that fell gives its memory to one that rises, and cannot take it again beyond the limit.
#[test]
fn memory_moves_between_families() {
    if !is_child_with("memory_moves_between_families", "limit=64MiB") {
        return;
    }
    let mut rows = Vec::with_capacity(100_000);
    let mut others = Vec::with_capacity(30_000);
    for _ in 0..3 {
        fill(&mut rows);
        let first = rows.len();
        rows.clear();
        while let Ok(other) = MmBox::try_new(Other([1; 3_000])) {
            others.push(other);
        }
        fill(&mut rows);
        let large = MmBox::<[Other]>::try_from_fn(1_000, |_| Other([1; 3_000]));
        let (is_refused, held) = (large.is_err(), mm::held_bytes());
        without_limit(|| {
            let counts = (first, others.len(), rows.len());
            assert!(
                counts.0 > 50_000 && counts.1 > 15_000 && counts.2 < 5_000,
                "{counts:?}"
            );
            assert!(is_refused && held <= 64 * MIB, "{held}");
        });
        rows.clear();
        others.clear();
    }
    mm::set_limit(None);
    mm::check().expect("what mm keeps is right");
}

#[test]
fn threads_stay_below_the_limit() {
    if !is_child_with("threads_stay_below_the_limit", "limit=64MiB") {
        return;
    }
    let most = AtomicU64::new(0);
    // A thread cannot start once the others have all the memory.
    let all_started = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut rows = Vec::with_capacity(100_000);
                all_started.wait();
                for _ in 0..3 {
                    fill(&mut rows);
                    // One extent for each thread may be too many.
                    most.fetch_max(mm::held_bytes(), Relaxed);
                    rows.clear();
                }
            });
        }
    });
    mm::set_limit(None);
    assert!(most.into_inner() <= (64 + 4 * 2) * MIB);
    mm::check().expect("what mm keeps is right");
}

#[test]
fn a_soft_limit_is_reported_once_for_each_crossing() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    if !is_child_with("a_soft_limit_is_reported_once_for_each_crossing", "") {
        return;
    }
    let limit = mm::held_bytes() + 16 * MIB;
    mm::set_soft_limit(limit, move |held| {
        assert!(held > limit);
        CALLS.fetch_add(1, Relaxed);
        drop(vec![1_u8; 32 << 20]);
    });
    for crossings in 1..4 {
        let large = vec![1_u8; 20 << 20];
        assert_eq!(CALLS.load(Relaxed), crossings);
        drop(large);
        mm::trim();
    }
    mm::set_soft_limit(limit, |_| panic!("in the closure"));
    drop(vec![1_u8; 20 << 20]);
    mm::trim();
    mm::clear_soft_limit();
    drop(vec![1_u8; 20 << 20]);
    assert_eq!(CALLS.load(Relaxed), 3);
}

#[test]
fn what_is_held_is_given_back() {
    if !is_child_with("what_is_held_is_given_back", "") {
        return;
    }
    let before = mm::held_bytes();
    let rows: Vec<_> = (0..50_000).map(|_| MmBox::new(Row([1; 1_000]))).collect();
    let large = vec![1_u8; 9 << 20];
    assert!(mm::held_bytes() > before + 59_000_000);
    drop((rows, large));
    mm::trim();
    assert!(mm::held_bytes() < before + 3 * MIB);
}

#[test]
fn a_program_without_memory_says_who_holds_it() {
    const NAME: &str = "a_program_without_memory_says_who_holds_it";
    let Some(child) = mm_tests::again_with(NAME, "limit=64MiB") else {
        let rows: Vec<_> = (0..20_000).map(|_| MmBox::new(Row([1; 1_000]))).collect();
        let mut texts = Vec::new();
        loop {
            texts.push(vec![rows.len(); 100]);
        }
    };
    let said = String::from_utf8_lossy(&child.stderr);
    let (_, holders) = said.split_once("mm: no memory for ").expect("it says");
    let lines: Vec<_> = holders.lines().take(3).collect();
    assert!(
        lines[0].ends_with("the limit is 64.0 MiB; most is held by:"),
        "{said}"
    );
    assert!(lines[1].ends_with(" units of `(untyped)`"), "{said}");
    assert!(lines[2].contains(" MiB in 20,000 units of `Row`"), "{said}");
    assert!(holders.contains("memory allocation of "), "{said}");
    assert!(!child.status.success());
}
