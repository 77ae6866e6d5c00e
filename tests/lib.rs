//! Tests of mm as its users see it. The library itself is what several of them need, and the
//! README and the pages of `docs`, whose code is doctests.

mod again;
mod block;
mod figures;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod filter;
mod forked;
mod join;
mod random;
mod share;

pub use again::{again, again_with, command, in_shell, is_child, is_child_with, limited, under};
pub use block::{OwnedBlock, ones, release_all};
pub use figures::{
    IS_GLOBAL, Tally, counts, family, figures, keep_room_for_checks, records, resident,
    snapshot_of, typed,
};
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use filter::{open_nothing_more, pretend, refuse};
pub use forked::in_a_child;
pub use join::join_all;
pub use random::Random;
pub use share::{is_whole, share};

/// All memory of the tests in mm's size classes.
#[cfg(feature = "global")]
#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
struct Contributing;

#[cfg(doctest)]
#[doc = include_str!("../docs/c.md")]
struct C;

#[cfg(doctest)]
#[doc = include_str!("../docs/features.md")]
struct Features;

#[cfg(doctest)]
#[doc = include_str!("../docs/how-it-works.md")]
struct HowItWorks;

#[cfg(doctest)]
#[doc = include_str!("../docs/leaks.md")]
struct Leaks;

#[cfg(doctest)]
#[doc = include_str!("../docs/figures.md")]
struct Figures;

#[cfg(doctest)]
#[doc = include_str!("../docs/linking.md")]
struct Linking;

#[cfg(doctest)]
#[doc = include_str!("../docs/migrating.md")]
struct Migrating;

#[cfg(doctest)]
#[doc = include_str!("../docs/performance.md")]
struct Performance;

#[cfg(doctest)]
#[doc = include_str!("../docs/platforms.md")]
struct Platforms;

#[cfg(doctest)]
#[doc = include_str!("../docs/reports.md")]
struct Reports;

/// Each of its programs has a global allocator of its own.
#[cfg(all(doctest, not(feature = "global")))]
#[doc = include_str!("../docs/whole-heap.md")]
struct WholeHeap;

#[cfg(doctest)]
#[doc = include_str!("../mm-derive/src/derive.md")]
struct Derive;

#[cfg(doctest)]
#[doc = include_str!("../mm-derive/src/no_leaks.md")]
struct NoLeaks;
