//! Typed heaps: `jmap -histo` for Rust, as fast as the best malloc.
//!
//! `#[derive(MmManaged)]` gives a type a *page family*: virtual-memory pages of its own. At any
//! moment the program can report exactly how many values of the type there are, how many bytes they
//! take, and how fragmented their pages are.
//!
//! ```
//! use mm::{MmBox, MmManaged};
//!
//! #[derive(MmManaged)]
//! struct Emp {
//!     name: [u8; 32],
//!     emp_id: u32,
//! }
//!
//! let emps: MmBox<[Emp]> = Emp::xcalloc(3);
//! let one = MmBox::new(Emp { name: [0; 32], emp_id: 7 });
//! mm::print_memory_usage("Emp");
//! # let snapshot = mm::snapshot();
//! # assert_eq!(snapshot.family(Emp::page_family().path()).unwrap().live_units, 4);
//! Emp::xfree(emps);
//! # drop(one);
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | unit | space for one value of the type: exactly `size_of::<T>()` bytes, aligned to `align_of::<T>()` |
//! | block | one or more units in a row, allocated and released as one |
//! | page family | everything that belongs to one type: its layout, its VM pages, its figures |
//! | VM page | 64 KiB of address space, the amount that a family takes at a time; the kernel's page is called *OS page* |
//! | free block | a run of free units inside a VM page, as long as possible |
//! | cache | the units of one family that one thread keeps ready to allocate |
//! | registry | all families: those of types and those registered while the program runs |
//! | snapshot | a plain copy of every figure at one moment; every report is made from one |
//!
//! # Who holds the memory
//!
//! | question | answer |
//! | --- | --- |
//! | Which type grows? | [`watch()`], a thread that names the type and its call sites |
//! | Which code allocated what is live, and when? | [`track()`], then [`leaks()`] or [`profile()`]; with stacks by the feature `backtrace` |
//! | What is left at the end? | [`report_leaks_at_exit`]; [`Kept`] marks what stays on purpose |
//! | What does a test leave behind? | [`no_leaks`](fn@no_leaks), as a function or an attribute |
//! | How much may a type take? | [`PageFamily::set_limit`], [`LimitGroup`], `#[mm(max_bytes = "64 MiB")]` |
//! | What are these values? | [`MmManaged::for_each_live`] |
//!
//! With the feature `tracing`, growth, limits and leaks are events too.
//!
//! # Formats that other programs read
//!
//! | what | for | feature |
//! | --- | --- | --- |
//! | [`Snapshot::openmetrics`] | Prometheus and other readers of OpenMetrics | none |
//! | `Snapshot::to_json`, `Profile::to_json` | your own programs; the schemas have a version | `json` |
//! | `Profile::to_pprof` | pprof, Pyroscope, Parca | `pprof` |
//! | `report_on_signal`, `MM_OPTIONS=signal=HUP` | a person with a shell | `signal`, on Unix |
//!
//! # Signal handlers and forks
//!
//! A signal handler must not allocate or release: it may have interrupted mm in the middle of a
//! change. Debug builds find a handler that did, and end the process with a message.
//!
//! The child of a process with several threads can use all families. mm holds its locks while the
//! process forks, and returns to the child what the caches of the other threads held. A unit that
//! another thread was about to take or release stays live in the child. Handlers of `pthread_atfork`
//! may use mm.
//!
//! # Code that mm calls
//!
//! | code | called | a panic |
//! | --- | --- | --- |
//! | the closure of [`WatchBuilder::on_growth`] | on the watcher's thread | is printed as a line on standard error, and the closure is not called again |
//! | the closure of [`PageFamily::set_soft_limit`], or its function in C | by the allocation that crosses the limit | propagates through the allocation; if C allocates, it is printed as a line |
//! | subscribers of `tracing` | for growth, crossed limits, refusals by a limit, and leaks | is caught |
//! | closures passed to a call, such as [`no_leaks`](fn@no_leaks) and [`MmBox::from_fn`]; destructors, `Clone`, serde | by that call | propagates to the caller |
//!
//! All of it may use mm. It runs after the figures are taken and mm's own lines are written, and no
//! lock of mm or std is held. The first three are never nested: while one of them runs, mm calls none
//! of them on that thread. A limit that is crossed meanwhile is reported by a later allocation, and an
//! event is dropped. A global allocator that is built on mm must not unwind, so closures of its soft
//! limits must not panic. A subscriber that holds a lock while it allocates can be called for a
//! refusal of that allocation.
//!
//! # Valgrind and sanitizers
//!
//! With the feature `valgrind` mm tells valgrind's memcheck about each block that it hands out and
//! takes back; with `asan` it tells AddressSanitizer and LeakSanitizer. Both work on Linux on x86-64
//! and aarch64. The tools then report a use after release, as with malloc, and also reads of bytes
//! that were never written (memcheck) and most uses beyond a block's end. In a program that does not
//! run under such a tool the features do nothing, and take a little time.
//!
//! ```sh
//! cargo build --features mm/valgrind && valgrind target/debug/program
//! RUSTFLAGS=-Zsanitizer=address cargo +nightly run --features mm/asan --target x86_64-unknown-linux-gnu
//! ```
//!
//! - mm soon hands out released memory again. After that, a use through a stale pointer is a use of a
//!   live block, and no tool reports it.
//!   `MM_OPTIONS=quarantine=64MiB` keeps that many released bytes of each family back; see [`Options`].
//! - memcheck says where the block was allocated and released. If the same memory was used several
//!   times, it describes the first use that it remembers. It takes an address up to 16 bytes beside a
//!   released block for part of that block, because malloc leaves a gap there. A quarantine, `random`
//!   and `--redzone-size=8` help.
//! - AddressSanitizer calls a use after release `use-after-poison`, and cannot say where the block was
//!   released. It works in granules of 8 bytes. If a block shares a granule with a live neighbour, the
//!   bytes in that granule are not watched; this happens if the size of a unit is no multiple of 8.
//! - LeakSanitizer treats memory that a live block points to as reachable, and memory that only
//!   released blocks point to as leaked. It does not find lost blocks of mm: memcheck reports those,
//!   and mm's own figures count them.
//! - ThreadSanitizer needs no feature. With the precompiled std it cannot follow locks, including
//!   those in mm. Build std for it (`-Zbuild-std`), or pass `--cfg mm_tsan` to rustc.

// Hosted docs say which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The derive's code names items as `::mm::...`; inside this crate that path must resolve, too.
extern crate self as mm;

mod allocate;
#[cfg(feature = "capi")]
pub mod capi;
#[cfg(test)]
mod doors;
mod entry;
mod error;
#[cfg(all(test, feature = "tracing"))]
mod event_tests;
mod events;
mod export;
mod family;
#[cfg(test)]
mod faults;
mod fork;
mod global;
#[cfg(test)]
mod golden;
mod growth;
mod handle;
mod heap;
mod heap_profile;
mod holders;
mod limit;
mod managed;
mod newtype;
mod number;
#[cfg(all(unix, feature = "signal"))]
mod on_signal;
mod options;
mod os;
mod print;
mod profile;
mod registry;
mod release;
mod report;
mod resident;
mod resize;
mod sampling;
mod scope;
mod shown;
mod snapshot;
mod startup;
#[cfg(all(test, feature = "tracing"))]
mod subscriber;
mod symbols;
mod sync;
mod track;
mod units;
mod user_code;
mod visit;
mod whole_limit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use mm_derive::{MmManaged, no_leaks};

pub use crate::entry::{check, families, leaks, leaks_with_values, profile, snapshot, track, trim};
pub use crate::error::{AllocError, CheckError, FreeError, Holder, RegisterError};
pub use crate::export::OpenMetrics;
pub use crate::family::PageFamily;
pub use crate::global::{Allocations, Global, allocations};
pub use crate::growth::{Growth, SiteGrowth, Watch, WatchBuilder, watch};
pub use crate::handle::{Block, IntoIter, Kept, MmBox, xfree};
pub use crate::heap::HugePages;
pub use crate::heap_profile::{
    HeapGroup, HeapGroups, HeapProfile, HeapUsage, StackUsage, heap_profile,
};
pub use crate::limit::{Limit, LimitGroup};
pub use crate::managed::{MmManaged, ZeroInit};
#[cfg(all(unix, feature = "signal"))]
pub use crate::on_signal::report_on_signal;
pub use crate::options::{Options, OptionsError};
pub use crate::print::{
    print_block_usage, print_heap_profile, print_memory_usage, print_registered_page_families,
};
#[cfg(feature = "backtrace")]
pub use crate::profile::record_backtraces;
pub use crate::profile::{
    CallSite, FamilyProfile, Frame, LeaksAtExit, Profile, report_leaks_at_exit,
};
pub use crate::release::xfree_raw;
pub use crate::report::{BlockUsage, MemoryUsage, PageFamilies};
pub use crate::sampling::Estimate;
pub use crate::scope::{LeakScope, no_leaks, no_leaks_untyped};
pub use crate::snapshot::{
    FamilyDiff, FamilyKey, FamilySnapshot, Location, Snapshot, SnapshotDiff,
};
pub use crate::track::Track;
pub use crate::whole_limit::{
    clear_soft_limit, held_bytes, limit_bytes, set_limit, set_soft_limit,
};
