//! mm's own records lie where writes past a block cannot reach them: in separate mappings, with
//! inaccessible memory between.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;

use mm::PageFamily;
use mm_tests::{
    IS_GLOBAL, OwnedBlock, Tally, family, figures, is_child, limited, ones, release_all,
};

/// Memory of this process that can be written to; neighbours are one.
fn writable() -> BTreeMap<usize, Range<usize>> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let mut all: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("a range");
        let [start, end] =
            [start, end].map(|digits| usize::from_str_radix(digits, 16).expect("hexadecimal"));
        if !rest.starts_with("rw") {
            continue;
        }
        match all.last_entry() {
            Some(mut last) if last.get().end == start => last.get_mut().end = end,
            _ => drop(all.insert(start, start..end)),
        }
    }
    all
}

/// The start of the writable memory that an address lies in.
fn region(all: &BTreeMap<usize, Range<usize>>, address: usize) -> usize {
    let (start, range) = all.range(..=address).next_back().expect("writable");
    assert!(range.contains(&address), "{address:#x} is not writable");
    *start
}

/// Fills arenas with units of all sizes while families are registered, whose records are known.
fn fill() -> (Vec<&'static PageFamily>, Vec<NonNull<u8>>) {
    let mut families = Vec::with_capacity(100_000);
    let mut blocks = Vec::with_capacity(1_000_000);
    for round in 0.. {
        let size = [64, 5_000, 70_000, 400_000][round % 4];
        let large = family(&format!("reach:{round}"), size, 8);
        for number in 0..400 {
            let name = format!("reach:{round}:{number}");
            let layout = std::alloc::Layout::new::<u64>();
            match PageFamily::register(&name, layout) {
                Ok(family) => families.push(family),
                Err(_) => return (families, blocks),
            }
        }
        for _ in 0..(8 << 20) / size {
            match large.alloc(1) {
                Ok(block) => blocks.push(block),
                Err(_) => return (families, blocks),
            }
        }
    }
    (families, blocks)
}

/// Under a limit arenas are small, and all of each is used.
#[test]
fn records_are_in_mappings_of_their_own() {
    if !is_child("records_are_in_mappings_of_their_own", |child| {
        limited(child, "ulimit -v 700000");
    }) {
        return;
    }
    let (families, blocks) = fill();
    // Room for what is read and said.
    mm::trim();
    let all = writable();
    let records = families
        .iter()
        .map(|family| region(&all, std::ptr::from_ref(*family).addr()));
    let records: std::collections::HashSet<_> = records.collect();
    assert!(families.len() > 2_000, "{} families", families.len());
    let reached = blocks
        .iter()
        .filter(|block| records.contains(&region(&all, block.addr().get())));
    assert_eq!(reached.count(), 0, "of {} blocks", blocks.len());
}

/// A family's units are beside each other, so a write past one spoils its neighbours of the same
/// type, and nothing that mm relies on.
#[test]
fn a_write_past_a_block_spoils_units_alone() {
    let family = family("reach:past", 48, 8);
    let mut tally = Tally::default();
    let blocks = ones(family, 40_000);
    let mut starts: Vec<_> = blocks.iter().map(OwnedBlock::start).collect();
    starts.sort_unstable();
    let end = starts[starts.len() - 1].addr().get() + 48;
    for start in starts.iter().step_by(997) {
        // If mm is the global allocator, its pages lie between the family's.
        let most = if IS_GLOBAL {
            (start.addr().get() + 1).next_multiple_of(64 << 10) - start.addr().get()
        } else {
            300_000
        };
        let bytes = (end - start.addr().get()).min(most);
        // SAFETY: the bug that mm is to survive. All up to `end` lies in the family's pages, and
        // is ours.
        unsafe { start.write_bytes(0xFF, bytes) };
        tally.bad_inputs += 1;
        family.check().expect("the walker finds the same");
    }
    assert_eq!(figures(family).live_units, 40_000);
    release_all(blocks);
    assert_eq!(figures(family).live_units, 0);
    println!("{tally}");
}
