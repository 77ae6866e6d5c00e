//! Faults of the original C library: each row of its list is a test here.

use std::alloc::Layout;
use std::ptr::NonNull;

use mm::{AllocError, FreeError, PageFamily, RegisterError};
use mm_tests::{OwnedBlock, again, family, figures, is_child, records, release_all, resident};

fn refused(block: NonNull<u8>) -> FreeError {
    // SAFETY: no live block starts there, which is what the call answers.
    unsafe { mm::xfree_raw(block) }.expect_err("nothing to release")
}

#[test]
fn allocate_release_allocate_again() {
    let family = family("seed:again", 36, 4);
    for _ in 0..3 {
        let block = OwnedBlock::zeroed(family, 1);
        block.release();
    }
    assert_eq!(figures(family).live_blocks, 0);
}

#[test]
fn a_list_of_120_nodes_released_front_to_back_twice() {
    let family = family("seed:list", 24, 8);
    for _ in 0..2 {
        let nodes: Vec<_> = (0..120).map(|_| OwnedBlock::zeroed(family, 1)).collect();
        assert_eq!(figures(family).live_blocks, 120);
        release_all(nodes);
        mm::trim();
        let end = figures(family);
        assert_eq!((end.live_blocks, end.vm_pages, resident(&end)), (0, 0, 0));
    }
}

#[test]
fn neighbours_merge_in_any_order() {
    let family = family("seed:merge", 100, 4);
    let [a, b, c] = [200, 200, 200].map(|units| OwnedBlock::new(family, units));
    release_all([b, a, c]);
    assert_eq!(figures(family).free_blocks, 1);
    let all = OwnedBlock::new(family, 600);
    assert_eq!(figures(family).vm_pages, 1);
    all.release();
}

#[test]
fn a_second_release_is_found() {
    let family = family("seed:twice", 12, 4);
    let [a, b, c] = [3, 3, 3].map(|units| OwnedBlock::new(family, units));
    let (first, second) = (a.start(), b.start());
    b.release();
    assert!(matches!(refused(second), FreeError::NotLive { .. }));
    a.release();
    // Merged with its neighbour now.
    assert!(matches!(refused(first), FreeError::NotLive { .. }));
    assert!(matches!(refused(second), FreeError::NotLive { .. }));
    c.release();
    assert_eq!(figures(family).live_blocks, 0);
}

#[test]
fn a_second_release_of_a_cached_unit_is_found() {
    #[derive(mm::MmManaged)]
    struct Cached(#[expect(dead_code, reason = "only its place matters")] [u32; 3]);

    let boxes: Vec<_> = (0..40).map(|_| mm::MmBox::new(Cached([0; 3]))).collect();
    let starts: Vec<_> = boxes
        .iter()
        .map(|one| NonNull::from(&**one).cast())
        .collect();
    drop(boxes);
    for start in starts {
        assert!(matches!(refused(start), FreeError::NotLive { .. }));
    }
}

#[test]
fn interior_and_foreign_pointers_are_refused() {
    let family = family("seed:bad-pointers", 48, 8);
    let block = OwnedBlock::new(family, 10);
    for offset in [1, 8, 48, 96, 479] {
        // SAFETY: the offset is inside the block.
        let inside = unsafe { block.start().add(offset) };
        assert!(
            matches!(refused(inside), FreeError::Interior { .. }),
            "{offset}"
        );
    }
    let boxed = Box::new(7_u64);
    assert!(matches!(
        refused(NonNull::from(&*boxed).cast()),
        FreeError::Foreign { .. }
    ));
    let other = self::family("seed:bad-pointers-2", 48, 8);
    // SAFETY: the block is live, but of another family, which is what the call answers.
    let wrong = unsafe { other.release(block.start()) };
    assert!(matches!(wrong, Err(FreeError::WrongFamily { .. })));
    assert_eq!(figures(family).live_blocks, 1);
    block.release();
}

#[test]
fn sizes_beyond_32_and_64_bits_are_errors() {
    let family = family("seed:overflow", 36, 4);
    for units in [
        usize::MAX,
        usize::MAX / 36 + 1,
        isize::MAX as usize / 36 + 1,
        (-1_isize).cast_unsigned(),
    ] {
        let answer = family.alloc(units);
        assert!(
            matches!(answer, Err(AllocError::SizeOverflow { .. })),
            "{units}"
        );
    }
    let huge = family.alloc(1 << 50);
    assert!(matches!(huge, Err(AllocError::OutOfMemory { .. })));
    let nothing = PageFamily::register("seed:nothing", Layout::new::<()>());
    assert!(matches!(nothing, Err(RegisterError::BadLayout { .. })));
    assert_eq!(figures(family).live_blocks, 0);
}

#[test]
fn more_than_32_bits_of_bytes_are_served() {
    let family = family("seed:five-gigabytes", 1 << 20, 8);
    let block = OwnedBlock::zeroed(family, 5 << 10);
    // SAFETY: the last byte of the block.
    let last = unsafe { block.start().add((5 << 30) - 1) };
    // SAFETY: the block is ours.
    unsafe { last.write(1) };
    let now = figures(family);
    assert_eq!(now.live_bytes, 5 << 30);
    assert!(resident(&now) < 1 << 20);
    block.release();
}

#[test]
fn no_units_are_an_empty_block() {
    let family = family("seed:empty", 36, 4);
    let (empty, zeroed) = (OwnedBlock::new(family, 0), OwnedBlock::zeroed(family, 0));
    assert_eq!(empty.start(), zeroed.start());
    empty.release();
    zeroed.release();
    let now = figures(family);
    assert_eq!(
        (now.live_blocks, now.blocks_allocated, now.vm_pages),
        (0, 0, 0)
    );
}

#[test]
fn structs_of_any_size_in_any_number() {
    for (size, units) in [
        (4_090, 1),
        (4_090, 1_000),
        (65_448, 1),
        (65_448, 40),
        (1, 100_000),
    ] {
        let family = family(&format!("seed:size-{size}-{units}"), size, 1);
        let block = OwnedBlock::zeroed(family, units);
        // SAFETY: the block is ours and this long.
        unsafe { block.start().write_bytes(1, size * units) };
        assert_eq!(figures(family).live_bytes, (size * units) as u64);
        block.release();
        assert_eq!(figures(family).live_units, 0);
    }
}

#[test]
fn blocks_are_aligned() {
    for shift in 0..24 {
        let align = 1 << shift;
        let family = family(&format!("seed:align-{align}"), align, align);
        for units in [1, 1, 3] {
            let block = OwnedBlock::new(family, units);
            assert_eq!(block.start().addr().get() % align, 0);
            block.release();
        }
    }
}

#[test]
fn hundreds_of_families_are_all_there_and_all_listed() {
    let names: Vec<String> = (0..300)
        .map(|number| format!("seed:family-{number}"))
        .collect();
    for name in &names {
        family(name, 64, 8).alloc(1).expect("memory");
    }
    let snapshot = mm::snapshot();
    let report = snapshot.block_usage().to_string();
    for name in &names {
        assert_eq!(snapshot.family(name).expect("listed").live_blocks, 1);
        let is_row = |line: &&str| line.split_whitespace().next() == Some(name);
        assert_eq!(report.lines().filter(is_row).count(), 1, "{name}");
    }
}

#[test]
fn long_names_are_whole_and_told_apart() {
    let stem = "seed:a-name-of-more-than-thirty-two-characters";
    let (first, second) = (format!("{stem}-one"), format!("{stem}-two"));
    let (small, large) = (family(&first, 8, 8), family(&second, 800, 8));
    let (a, b) = (OwnedBlock::new(small, 1), OwnedBlock::new(large, 1));
    let report = mm::snapshot().page_families().to_string();
    assert!(report.contains(&first) && report.contains(&second));
    assert_eq!(
        (figures(small).live_bytes, figures(large).live_bytes),
        (8, 800)
    );
    a.release();
    b.release();
}

#[test]
fn a_name_is_no_prefix() {
    let _ = family("seed_node", 24, 8);
    let _ = family("seed_node_t", 32, 8);
    let report = mm::snapshot().memory_usage("seed_node_t").to_string();
    assert!(report.contains("seed_node_t"));
    let is_row = |line: &&str| line.split_whitespace().next() == Some("seed_node");
    assert_eq!(report.lines().filter(is_row).count(), 0, "{report}");
}

#[test]
fn a_name_is_registered_once() {
    let _ = family("seed:once", 24, 8);
    let again = PageFamily::register("seed:once", Layout::new::<u64>());
    assert!(matches!(
        again,
        Err(RegisterError::DuplicateName {
            family: "seed:once",
            ..
        })
    ));
}

#[test]
fn a_layout_is_padded_to_its_alignment() {
    let family = family("seed:padded", 33, 16);
    assert_eq!(family.layout().size(), 48);
}

#[test]
fn freed_room_is_used_again() {
    let family = family("seed:reuse", 1, 1);
    let blocks = [1_000, 500, 100, 300].map(|units| OwnedBlock::new(family, units));
    let wall = OwnedBlock::new(family, 60_000);
    release_all(blocks);
    let pages = figures(family).vm_pages;
    let again = [1_000, 500, 200].map(|units| OwnedBlock::new(family, units));
    assert_eq!(figures(family).vm_pages, pages);
    release_all(again.into_iter().chain([wall]));
}

#[test]
fn ten_pairs_leave_exact_figures() {
    let family = family("seed:pairs", 84, 4);
    for _ in 0..10 {
        let block = OwnedBlock::new(family, 1);
        block.release();
    }
    let kept = OwnedBlock::new(family, 1);
    let now = figures(family);
    assert_eq!(
        (now.live_bytes, now.blocks_allocated, now.blocks_released),
        (84, 11, 10)
    );
    kept.release();
}

#[test]
fn pages_are_not_executable() {
    let family = family("seed:protection", 64, 8);
    let block = OwnedBlock::zeroed(family, 1);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let address = block.start().addr().get();
    let protection = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        (start..end)
            .contains(&address)
            .then(|| rest[..4].to_owned())
    });
    assert_eq!(protection.as_deref(), Some("rw-p"));
    block.release();
}

#[test]
fn metadata_is_small_and_outside() {
    // Alone in its process, or the other tests' records would count.
    const UNITS: usize = 2_000_000;
    if !is_child("metadata_is_small_and_outside", |_| {}) {
        return;
    }
    let family = family("seed:metadata", 16, 8);
    for _ in 0..UNITS {
        family.alloc(1).expect("memory");
    }
    let snapshot = mm::snapshot();
    let live = snapshot.family(family.path()).expect("listed").live_bytes;
    let records = records(&snapshot);
    // A word of the map with its owner is 16 bytes for 64 units: 1.6 % of units of 16 bytes.
    assert!(
        records * 1_000 < live * 20,
        "{records} bytes of records for {live} live ones"
    );
}

#[test]
fn cost_does_not_grow_with_the_number_of_families() {
    let family = family("seed:cost", 64, 8);
    let best_of_five = || {
        let pairs = || {
            let start = std::time::Instant::now();
            for _ in 0..20_000 {
                let block = OwnedBlock::new(family, 1);
                block.release();
            }
            start.elapsed()
        };
        (0..5).map(|_| pairs()).min().expect("five runs")
    };
    let before = best_of_five();
    for number in 0..5_000 {
        let _ = self::family(&format!("seed:cost-{number}"), 64, 8);
    }
    let after = best_of_five();
    // The original's look-up by name would take thousands of times as long; a busy machine will not.
    assert!(after < before * 20, "{before:?}, then {after:?}");
}

#[test]
fn a_derived_name_is_taken_too() {
    #[derive(mm::MmManaged)]
    #[mm(name = "seed:derived")]
    struct Derived(#[expect(dead_code, reason = "only its name matters")] u8);

    let again = PageFamily::register("seed:derived", Layout::new::<u64>());
    assert!(matches!(again, Err(RegisterError::DuplicateName { .. })));
}

#[test]
fn counts_of_units_without_a_size_do_not_overflow() {
    #[derive(mm::MmManaged)]
    struct Nothing;

    let most = <Nothing as mm::MmManaged>::xcalloc(usize::MAX);
    let more = <Nothing as mm::MmManaged>::try_xcalloc(1);
    assert!(matches!(more, Err(AllocError::SizeOverflow { .. })));
    drop(most);
    assert_eq!(
        figures(<Nothing as mm::MmManaged>::page_family()).live_units,
        0
    );
}

/// Releases a block twice through owners, which breaks their contract: the process must end.
fn release_twice_through_owners(units: usize) {
    #[derive(mm::MmManaged)]
    struct Row(#[expect(dead_code, reason = "only its size matters")] [u64; 4]);

    let row = mm::MmBox::into_raw(<Row as mm::MmManaged>::xcalloc(units));
    for _ in 0..2 {
        // SAFETY: sound once; the second time is what is tested, in a process that ends with it.
        drop(unsafe { mm::MmBox::from_raw(row) });
    }
    // At the latest when the thread's cache is flushed, both meet in the maps.
    drop(mm::snapshot());
    println!("went on");
}

#[test]
fn owners_that_release_twice_end_the_process() {
    const UNITS: &str = "MM_TEST_TWICE";
    let name = "owners_that_release_twice_end_the_process";
    for units in ["30", "100000"] {
        let output = again(name, |child| {
            child.env(UNITS, units);
        });
        let Some(output) = output else {
            let units = std::env::var(UNITS).expect("set");
            return release_twice_through_owners(units.parse().expect("a number"));
        };
        assert!(!output.status.success());
        assert!(!String::from_utf8_lossy(&output.stdout).contains("went on"));
        assert!(String::from_utf8_lossy(&output.stderr).contains("released twice"));
    }
}
