//! Every nth call that an arena makes, from its opening on, refused.

use core::sync::atomic::AtomicU8;

use crate::os::arena::AddressSpace;
use crate::os::faulty::{Call, Fault, refusing};
use crate::os::{PageSource, System};

type Space = AddressSpace<AtomicU8, { 64 << 10 }>;

/// Calls that taking five runs may make; the test fails if it makes more.
const MOST_CALLS: usize = 100;

/// Takes runs of address space, large and small; how many were refused.
fn take_runs(space: &'static Space, runs: &mut Vec<(usize, usize)>) -> usize {
    // The table is committed for 512 MiB at a time.
    let most = System::ARENA_BYTES.min(600 << 20);
    let mut refused = 0;
    for bytes in [64 << 10, 128 << 10, 4 << 20, 64 << 10, most] {
        let Ok((arena, offset)) = space.take(bytes, 64 << 10, &mut 0) else {
            refused += 1;
            continue;
        };
        let start = arena.space().at(offset);
        // SAFETY: the run is new, and that many bytes long.
        let last = unsafe { start.add(bytes - 1) };
        for place in [start, last] {
            // SAFETY: the run is committed, and nobody else has it.
            assert_eq!(unsafe { place.read() }, 0);
            // SAFETY: as above.
            unsafe { place.write(1) };
        }
        runs.push((start.addr().get(), bytes));
    }
    refused
}

#[test]
fn every_refused_call_leaves_address_space_whole() {
    for call in [None, Some(Call::Reserve), Some(Call::Commit)] {
        for lasting in [false, true] {
            let reached = (0..MOST_CALLS).find(|nth| {
                let space: &'static Space = Box::leak(Box::new(AddressSpace::new()));
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
