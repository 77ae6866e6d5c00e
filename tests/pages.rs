//! Memory is taken late and returned soon, and a loop does not do both at every step.

use std::ptr::NonNull;
use std::sync::RwLock;

use mm::{AllocError, PageFamily};
use mm_tests::{
    OwnedBlock, figures, is_child, is_child_with, ones, records, release_all, resident,
};

fn family(name: &str, size: usize) -> &'static PageFamily {
    mm_tests::family(name, size, 4)
}

/// A test that counts calls into the kernel reads this: a trim gives the memory of all families back.
static TRIMS: RwLock<()> = RwLock::new(());

fn trim() {
    let _alone = TRIMS.write();
    mm::trim();
}

/// Allocates a unit of 36 bytes and writes to it, so that memory backs it.
fn written(family: &'static PageFamily) -> OwnedBlock {
    let block = OwnedBlock::new(family, 1);
    // SAFETY: the block is live, ours, and has 36 bytes.
    unsafe { block.start().write_bytes(1, 36) };
    block
}

#[test]
fn a_loop_at_the_edge_of_a_page_makes_no_kernel_calls() {
    let _no_trim = TRIMS.read();
    for (units, per_extent) in [(1, 58_000), (1_000, 60), (40_000, 3)] {
        let family = family(&format!("pages:edge-{units}"), 36);
        // Around every count of live blocks up to more than an extent's.
        for full in (0..per_extent).step_by((per_extent / 40).max(1)) {
            let live: Vec<_> = (0..full).map(|_| OwnedBlock::new(family, units)).collect();
            let pair = || {
                let [a, b] = [units, units].map(|units| OwnedBlock::new(family, units));
                a.release();
                b.release();
            };
            pair();
            let before = figures(family).kernel_calls;
            (0..50).for_each(|_| pair());
            let calls = figures(family).kernel_calls - before;
            assert!(
                calls <= 2,
                "{calls} calls for 50 steps above {full} live blocks"
            );
            release_all(live);
        }
    }
}

#[test]
fn empty_extents_go_back_by_themselves() {
    let family = family("pages:shrink", 36);
    let live: Vec<_> = (0..1_000_000).map(|_| written(family)).collect();
    let peak = figures(family);
    assert!(resident(&peak) >= 36_000_000);
    release_all(live);
    let end = figures(family);
    assert!(resident(&end) <= 2 << 20, "{} bytes kept", resident(&end));
    assert!(end.peak_live_bytes >= 36_000_000);
}

#[test]
fn trim_gives_back_free_memory_inside_pages() {
    let family = family("pages:trim", 1_000);
    let live: Vec<_> = (0..10_000).map(|_| OwnedBlock::zeroed(family, 1)).collect();
    for block in &live {
        // SAFETY: the block is live, ours, and has 1,000 bytes.
        unsafe { block.start().write_bytes(1, 1_000) };
    }
    let before = resident(&figures(family));
    let mut kept = Vec::new();
    for (index, block) in live.into_iter().enumerate() {
        if index % 50 == 0 {
            kept.push(block);
        } else {
            block.release();
        }
    }
    trim();
    let after = figures(family);
    // One live unit in 50 KB keeps one or two OS pages of 4 KiB.
    assert!(
        resident(&after) < before / 5,
        "{} of {before}",
        resident(&after)
    );
    assert_eq!(after.live_units, kept.len() as u64);
    for block in &kept {
        let bytes = NonNull::slice_from_raw_parts(block.start(), 1_000);
        // SAFETY: the block is live and was written.
        assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == 1));
    }
    // What was given back reads as zero again.
    let again: Vec<_> = (0..10_000).map(|_| OwnedBlock::zeroed(family, 1)).collect();
    for block in again {
        let bytes = NonNull::slice_from_raw_parts(block.start(), 1_000);
        // SAFETY: the block is live and zeroed.
        assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == 0));
        block.release();
    }
    release_all(kept);
    family.check().expect("the walker finds the same");
}

#[test]
fn addresses_stay_with_their_family() {
    let (first, second) = (family("pages:first", 64), family("pages:second", 64));
    let of_first = ones(first, 5_000);
    let addresses: Vec<_> = of_first
        .iter()
        .map(|block| block.start().addr().get() >> 16)
        .collect();
    release_all(of_first);
    trim();
    let of_second = ones(second, 20_000);
    for block in of_second {
        assert!(!addresses.contains(&(block.start().addr().get() >> 16)));
        block.release();
    }
}

#[test]
fn units_per_page_are_those_that_a_page_has() {
    for number in 0..4 {
        let family = family(&format!("pages:units-{number}"), 32);
        if number % 2 == 1 {
            // What comes before the first page, and has none.
            let large = OwnedBlock::new(family, 10_000);
            large.release();
            trim();
        }
        let per_page = figures(family).units_per_page;
        let blocks = ones(family, usize::try_from(3 * per_page).expect("few"));
        let of = figures(family);
        let units = of.live_units + of.cached_units + of.free_units;
        assert_eq!(units, of.vm_pages * of.units_per_page, "{of:?}");
        assert_eq!(of.first_page_units, of.units_per_page);
        release_all(blocks);
    }
}

#[test]
fn resident_memory_follows_what_is_touched() {
    let family = family("pages:touch", 4_096);
    let block = OwnedBlock::zeroed(family, 50_000);
    assert!(resident(&figures(family)) < 1 << 20);
    for index in 0..50_000 {
        // SAFETY: inside the block.
        let unit = unsafe { block.start().add(index * 4_096) };
        // SAFETY: the block is ours.
        unsafe { unit.write(1) };
    }
    assert!(resident(&figures(family)) >= 50_000 * 4_096);
    block.release();
    assert!(resident(&figures(family)) < 1 << 20);
}

#[test]
fn a_large_live_block_makes_small_ones_no_dearer() {
    let family = family("pages:mixed", 36);
    let large = OwnedBlock::new(family, 500_000);
    let pair = |units| {
        let block = OwnedBlock::new(family, units);
        block.release();
    };
    for units in [2, 30_000] {
        pair(units);
        let before = figures(family).kernel_calls;
        (0..100).for_each(|_| pair(units));
        assert_eq!(figures(family).kernel_calls, before, "{units} units");
    }
    large.release();
}

#[test]
fn address_space_that_came_and_went_costs_snapshots_nothing() {
    let family = family("pages:vast", 1 << 20);
    // Released only when all are there, or they would be one run, used again.
    let blocks: Vec<_> = (0..100).map(|_| OwnedBlock::new(family, 1 << 10)).collect();
    release_all(blocks);
    let snapshot = || {
        let start = std::time::Instant::now();
        drop(mm::snapshot());
        start.elapsed().as_millis()
    };
    // Asking the kernel about 100 GiB takes some 50 ms.
    let best = (0..10).map(|_| snapshot()).min().expect("ten runs");
    assert!(best < 25, "{best} ms");
}

#[test]
fn more_than_the_machine_has_is_refused_at_once() {
    let family = family("pages:absurd", 1);
    let before = records(&mm::snapshot());
    for shift in 41..48 {
        let answer = family.alloc_zeroed(1 << shift);
        assert!(
            matches!(answer, Err(AllocError::OutOfMemory { .. })),
            "2^{shift} bytes"
        );
    }
    let grown = records(&mm::snapshot()).saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes of records for nothing");
}

/// The flags that the kernel keeps of the memory at an address, from `smaps` (`proc_pid_smaps(5)`).
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn kernel_flags(address: usize) -> String {
    let text = std::fs::read_to_string("/proc/self/smaps").expect("of this process");
    let mut inside = false;
    for line in text.lines() {
        let range = line
            .split_once(' ')
            .and_then(|(range, _)| range.split_once('-'));
        let number = |text| usize::from_str_radix(text, 16).ok();
        if let Some((start, end)) = range.and_then(|(a, b)| number(a).zip(number(b))) {
            inside = (start..end).contains(&address);
        } else if let Some(flags) = line.strip_prefix("VmFlags:").filter(|_| inside) {
            return flags.to_owned();
        }
    }
    panic!("no memory at {address:#x}");
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
fn has_flag(address: usize, flag: &str) -> bool {
    let flags = kernel_flags(address);
    flags.split_whitespace().any(|one| one == flag)
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
#[test]
fn trimmed_memory_does_not_come_back_as_huge_pages() {
    let name = "trimmed_memory_does_not_come_back_as_huge_pages";
    if !is_child_with(name, "huge=always") {
        return;
    }
    let family = family("pages:huge", 36);
    let allocated: Vec<_> = (0..800_000).map(|_| written(family)).collect();
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for (number, block) in allocated.into_iter().enumerate() {
        if number % 20_000 == 0 {
            kept.push(block);
        } else {
            others.push(block);
        }
    }
    let has_huge_pages = |block: &&OwnedBlock| has_flag(block.start().addr().get(), "hg");
    assert_eq!(kept.iter().filter(has_huge_pages).count(), kept.len());
    release_all(others);
    trim();
    let figures_after = figures(family);
    assert!(resident(&figures_after) <= figures_after.mapped_bytes);
    assert!(
        resident(&figures_after) <= kept.len() as u64 * 8_192,
        "{figures_after:?}"
    );
    assert_eq!(kept.iter().filter(has_huge_pages).count(), 0);
    release_all(kept);
    trim();
    assert_eq!(resident(&figures(family)), 0);
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
#[test]
fn trim_gives_back_what_a_huge_page_backs_beyond_the_pages_in_use() {
    let name = "trim_gives_back_what_a_huge_page_backs_beyond_the_pages_in_use";
    if !is_child_with(name, "huge=always") {
        return;
    }
    let family = family("pages:beyond", 36);
    let mut live = Vec::new();
    // Into the first part of an extent.
    while live.len() % 1_000 != 0 || figures(family).mapped_bytes <= 8 << 20 {
        live.push(written(family));
    }
    trim();
    let figures_after = figures(family);
    assert!(resident(&figures_after) <= figures_after.mapped_bytes);
    release_all(live);
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
#[test]
fn whoever_wants_no_huge_pages_has_none() {
    if !is_child_with("whoever_wants_no_huge_pages_has_none", "huge=never") {
        return;
    }
    let (small, large) = (family("never:small", 36), family("never:large", 9 << 20));
    let blocks = [(small, written(small)), (large, written(large))];
    for (family, block) in blocks {
        assert!(has_flag(block.start().addr().get(), "nh"), "{family:?}");
        block.release();
    }
}

/// On a system that uses huge pages wherever it can, each of them would take 2 MiB.
#[cfg(all(target_os = "linux", not(mm_portable)))]
#[test]
fn small_families_take_small_pages() {
    if !is_child("small_families_take_small_pages", |child| {
        child.env_remove("MM_OPTIONS");
    }) {
        return;
    }
    let families: Vec<_> = (0..1_000)
        .map(|number| family(&format!("small:{number}"), 36))
        .collect();
    let blocks: Vec<_> = families.into_iter().map(written).collect();
    let snapshot = mm::snapshot();
    let all: u64 = snapshot.families.iter().map(resident).sum();
    let all = all + records(&snapshot);
    assert!(all < 20 << 20, "{all} bytes");
    release_all(blocks);
}

/// Lines of the kernel's list.
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("of this process");
    maps.lines().count()
}

/// Every second extent asks for small pages, among those that asked for huge ones.
#[cfg(all(target_os = "linux", not(mm_portable)))]
#[test]
fn advice_takes_no_more_than_a_quarter_of_the_mappings() {
    const EXTENTS: usize = 30_000;
    let name = "advice_takes_no_more_than_a_quarter_of_the_mappings";
    if !is_child_with(name, "huge=always") {
        return;
    }
    let most = std::fs::read_to_string("/proc/sys/vm/max_map_count").expect("Linux has it");
    let most: usize = most.trim().parse().expect("a number");
    // Units of which 8 fill 2 MiB. None is touched, so that no memory backs them.
    let family = family("mappings:alternating", 256 << 10);
    let before = mappings();
    let mut blocks = ones(family, EXTENTS * 8);
    blocks.sort_unstable_by_key(OwnedBlock::start);
    let (mut kept, mut released) = (Vec::new(), Vec::new());
    for (number, block) in blocks.into_iter().enumerate() {
        let is_kept = (number / 8).is_multiple_of(2) || number.is_multiple_of(8);
        if is_kept { &mut kept } else { &mut released }.push(block);
    }
    release_all(released);
    for _ in 0..3 {
        trim();
        let more = mappings() - before;
        println!("{more} more mappings, of {most}");
        assert!(more <= most / 4 + 100, "{more} more mappings, of {most}");
    }
    std::thread::spawn(|| ()).join().expect("a thread starts");
    // Where all ask for the same again, there is room for others.
    release_all(kept);
    trim();
    let blocks = ones(family, EXTENTS * 8);
    assert!(mappings() <= before + 1_000, "{} mappings", mappings());
    release_all(blocks);
}
