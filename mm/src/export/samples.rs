//! A sample profile, for the tests of the formats.

use std::time::Duration;

use crate::heap_profile::samples::usage;
use crate::heap_profile::{HeapProfile, StackUsage};
use crate::profile::{CallSite, FamilyProfile, Profile};
use crate::snapshot::{FamilyKey, Location};

/// Makes an untracked family, with live blocks of one unit.
pub(super) fn untracked(path: &'static str, unit_size: u64, live: u64) -> FamilyProfile {
    let name = path.rsplit("::").next().unwrap_or(path);
    let location = Location::new("src/lib.rs", 7, 1, "0.1.0");
    FamilyProfile {
        name,
        path,
        location,
        key: FamilyKey::made(name, path, location, 1),
        unit_size,
        live_blocks: live,
        live_units: live,
        kept_blocks: 0,
        kept_units: 0,
        unrecorded_blocks: live,
        unrecorded_units: live,
        blocks_allocated: live,
        every: 0,
        lacked_room: false,
        sites: Vec::new(),
    }
}

/// Makes a call site with blocks of two units. Half of them are live.
pub(super) fn site(file: &'static str, line: u32, live_blocks: u64) -> CallSite {
    CallSite {
        location: Location::new(file, line, 9, ""),
        thread: "main",
        frames: Box::default(),
        live_blocks,
        live_units: 2 * live_blocks,
        oldest: Some(Duration::new(61, 5)),
        value: None,
        value_unreadable: false,
        blocks_recorded: 2 * live_blocks,
        units_recorded: 4 * live_blocks,
    }
}

/// Makes a profile of three families. mm records each block of the first, every tenth of the second, and none
/// of the third.
pub(super) fn profile() -> Profile {
    let posting = FamilyProfile {
        live_blocks: 100,
        live_units: 170,
        kept_blocks: 10,
        kept_units: 10,
        unrecorded_blocks: 30,
        unrecorded_units: 40,
        blocks_allocated: 1_000,
        every: 1,
        lacked_room: false,
        sites: vec![
            site("src/index.rs", 40, 40),
            CallSite {
                thread: "",
                value: Some(b"ada".as_slice().into()),
                ..site("src/index.rs", 88, 20)
            },
            CallSite {
                thread: "worker \"1\"",
                oldest: None,
                blocks_recorded: 7,
                units_recorded: 9,
                ..site("src/merge.rs", 3, 0)
            },
        ],
        ..untracked("indexd::index::Posting", 36, 0)
    };
    let session = FamilyProfile {
        live_blocks: 705,
        live_units: 1_402,
        unrecorded_blocks: 635,
        unrecorded_units: 1_262,
        blocks_allocated: 1_500,
        every: 10,
        lacked_room: false,
        sites: vec![site("src/session.rs", 61, 50), site("src/index.rs", 40, 20)],
        ..untracked("indexd::session::Session", 208, 0)
    };
    Profile {
        families: vec![posting, untracked("indexd::query::Cursor", 32, 12), session],
    }
}

/// Makes a profile of untyped memory with two stacks, and 1,000 live bytes in 10 blocks without one.
pub(super) fn heap_profile() -> HeapProfile {
    let stack = |addresses, usage| StackUsage { addresses, usage };
    HeapProfile {
        stacks: vec![
            stack(&[0x55d0_c000_3001, 0x55d0_c000_2100], usage(100, 6_400)),
            stack(&[0x55d0_c000_3001], usage(3, 300)),
        ],
        live_bytes: 7_700,
        live_blocks: 113,
        sample_interval: 65_536,
        unknown: usage(2, 200),
    }
}
