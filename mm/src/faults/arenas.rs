//! Arenas: refuses the nth call that they make, for each n; and checks the address table when there are many.

use std::collections::BTreeMap;

use crate::os::address_space::AddressSpace;
use crate::os::arena::GRANULE;
use crate::os::faulty::{Call, Fault, refusing, refusing_above};
use crate::os::{PageSource, System};

type Space = AddressSpace<usize, u8>;

/// The most calls for taking five runs. The test fails if there are more.
const MOST_CALLS: usize = 100;

/// A run that is larger than a slot of the table, where reserving it takes no memory.
const LARGE: usize = if cfg!(mm_portable) {
    40 << 20
} else {
    (1 << 30) + GRANULE
};

/// Takes a run, and returns its address.
fn take(space: &'static Space, bytes: usize) -> Option<usize> {
    let (arena, offset) = space.take(bytes, GRANULE, &mut 0).ok()?;
    let start = arena.space().at(offset);
    // SAFETY: `Space::take` gave a run of `bytes` bytes.
    let last = unsafe { start.add(bytes - 1) };
    for place in [start, last] {
        // SAFETY: `Space::take` gave the run, which is committed, and only this thread knows of it.
        assert_eq!(unsafe { place.read() }, 0);
        // SAFETY: `Space::take` gave the run, which is committed, and only this thread knows of it.
        unsafe { place.write(1) };
    }
    Some(start.addr().get())
}

/// Takes large and small runs of address space. Returns the number of refusals.
fn take_runs(space: &'static Space, runs: &mut Vec<(usize, usize)>) -> usize {
    let mut refused = 0;
    for bytes in [GRANULE, 2 * GRANULE, 4 << 20, GRANULE, LARGE] {
        match take(space, bytes) {
            Some(address) => runs.push((address, bytes)),
            None => refused += 1,
        }
    }
    refused
}

#[test]
fn every_refused_call_leaves_address_space_whole() {
    for call in [None, Some(Call::Reserve), Some(Call::Commit)] {
        for lasting in [false, true] {
            let reached = (0..MOST_CALLS).find(|nth| {
                let space = Space::leaked();
                let mut runs = Vec::new();
                let fault = Fault {
                    call,
                    nth: *nth,
                    lasting,
                };
                let (refused, reached) = refusing(fault, || take_runs(space, &mut runs));
                assert!(reached || refused == 0, "refused without a fault");
                assert_eq!(take_runs(space, &mut runs), 0);
                runs.sort_unstable();
                // No two runs have a byte in common.
                assert!(runs.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0));
                !reached
            });
            let calls = reached.expect("fewer calls");
            assert!(calls >= 2, "{call:?}: only {calls} calls");
        }
    }
}

/// Checks that each granule in the runs and around them leads to the record of its run, or to none.
fn check_look_ups(space: &'static Space, runs: &BTreeMap<usize, (usize, &'static usize)>) {
    let around = runs.iter().flat_map(|(start, (bytes, _))| {
        let beside = 40 * GRANULE;
        (start - beside..start + bytes + beside).step_by(GRANULE)
    });
    for granule in around {
        let before = runs.range(..=granule).next_back();
        let own = before.filter(|(start, (bytes, _))| granule - *start < *bytes);
        let expected = own.map(|(_, (_, record))| **record);
        for address in [granule, granule + 1, granule + GRANULE - 1] {
            let found = space.record_at(address).copied();
            assert_eq!(found, expected, "{address:#x}");
        }
    }
}

/// Takes a run and gives it the next record.
fn add_run(
    space: &'static Space,
    bytes: usize,
    runs: &mut BTreeMap<usize, (usize, &'static usize)>,
) {
    let address = take(space, bytes).expect("addresses");
    let record: &'static usize = Box::leak(Box::new(runs.len()));
    space.set_records(address, bytes, record);
    let former = runs.insert(address, (bytes, record));
    assert!(former.is_none(), "two runs at {address:#x}");
}

/// With `mlockall(MCL_FUTURE)` the kernel refuses large mappings. So there are many arenas, adjacent or not,
/// and some share a slot of the table.
#[test]
fn look_ups_are_right_across_the_borders_of_many_arenas() {
    let space = Space::leaked();
    let mut runs = BTreeMap::new();
    refusing_above(800 << 10, || {
        for number in 0..400 {
            add_run(space, (number % 5 + 1) * GRANULE, &mut runs);
        }
    });
    let arenas = space.arena_bytes();
    assert!(arenas.len() > 100, "{} arenas", arenas.len());
    assert!(arenas.iter().all(|bytes| *bytes <= 800 << 10));
    check_look_ups(space, &runs);
    for address in [0, 1, 1 << 62, usize::MAX - GRANULE, usize::MAX] {
        assert_eq!(space.record_at(address), None, "{address:#x}");
    }
    // The kernel allows large mappings again.
    let before = arenas.len();
    for number in 0..2_000 {
        add_run(space, (number % 5 + 1) * GRANULE, &mut runs);
    }
    let more = space.arena_bytes().len() - before;
    assert!(more < 16, "{more} arenas for 375 MiB");
    check_look_ups(space, &runs);
}

#[test]
fn a_run_may_lie_in_several_slots_of_the_table() {
    let space = Space::leaked();
    let mut runs = BTreeMap::new();
    for bytes in [GRANULE, LARGE, GRANULE, 3 * LARGE, 2 * GRANULE] {
        add_run(space, bytes, &mut runs);
    }
    check_look_ups(space, &runs);
}

#[test]
fn arenas_grow_with_what_is_used() {
    let space = Space::leaked();
    take(space, GRANULE).expect("addresses");
    let first = space.arena_bytes();
    assert_eq!(first, [System::FIRST_ARENA + System::page_bytes()]);
    let mut used = GRANULE;
    while used < 8 * System::FIRST_ARENA {
        take(space, 2 << 20).expect("addresses");
        used += 2 << 20;
    }
    let arenas = space.arena_bytes();
    let all = arenas.iter().sum::<usize>();
    assert!(arenas.len() <= 5, "{} arenas", arenas.len());
    assert!(all < 3 * used, "{all} bytes reserved for {used}");
}

#[test]
fn little_is_taken_of_what_is_left() {
    let space = Space::leaked();
    let most = 20 << 20;
    refusing_above(most, || take(space, GRANULE)).expect("addresses");
    let bytes = space.arena_bytes()[0];
    assert!(bytes <= most / 8, "{bytes} bytes of {most}");
}
