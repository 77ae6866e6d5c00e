//! Typed heaps: `jmap -histo` for Rust, as fast as the best malloc.
//!
//! `#[derive(MmManaged)]` gives a type a *page family*: virtual-memory pages of its own. At any
//! moment the program can say exactly how many values there are, how many bytes they take, and
//! how fragmented their pages are.
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
//! | unit | room for one value of the type: exactly `size_of::<T>()` bytes, aligned to `align_of::<T>()` |
//! | block | one or more units in a row, handed out and released as one |
//! | page family | all that belongs to one type: its layout, its VM pages, its figures |
//! | VM page | the amount of address space a family takes at a time; not the kernel's page, which is called *OS page* everywhere |
//! | free block | a longest run of free units inside a VM page |
//! | cache | the units that one thread holds back of one family, ready to hand out |
//! | registry | all families: those of the derive and those registered while the program runs |
//! | snapshot | a plain copy of every figure at one moment; every report is made from one |
//!
//! # Valgrind and sanitizers
//!
//! With the feature `valgrind` mm tells valgrind's memcheck, and with `asan` AddressSanitizer and
//! LeakSanitizer, which blocks it hands out and takes back, on Linux on x86-64 and aarch64. Then a
//! use after release is reported, as on malloc, and so are reads of bytes that nobody wrote (by
//! memcheck) and most uses beyond a block's end. In a program that does not run under such a tool
//! the features do nothing, and take a little time.
//!
//! ```sh
//! cargo build --features mm/valgrind && valgrind target/debug/program
//! RUSTFLAGS=-Zsanitizer=address cargo +nightly run --features mm/asan --target x86_64-unknown-linux-gnu
//! ```
//!
//! - What is released is handed out again soon, and a stale use is then one of a live block.
//!   `MM_OPTIONS=quarantine=64MiB` keeps that much back of each family; see [`Options`].
//! - memcheck says where the block was allocated and released. Of all lives of the same memory that
//!   it remembers it describes the first, and it takes an address up to 16 bytes beside a released
//!   block for one of that block, as malloc has nothing there. A quarantine, `random` and
//!   `--redzone-size=8` help.
//! - AddressSanitizer calls it `use-after-poison`, and cannot say where the block was released. It
//!   knows granules of 8 bytes: of a block that shares one with a live neighbour, as units whose size
//!   is no multiple of 8 do, the bytes in that granule are not watched.
//! - What a live block points to is no leak for LeakSanitizer; what only released blocks point to is
//!   one. It knows nothing of lost blocks of mm: those memcheck reports, and mm's own figures count.
//! - ThreadSanitizer needs no feature. With the std that comes with Rust it cannot follow locks, those
//!   in mm neither; build std for it (`-Zbuild-std`), or pass `--cfg mm_tsan` to rustc.
//!
//! # Who holds the memory
//!
//! | question | answer |
//! | --- | --- |
//! | which type grows? | [`watch()`], a thread that names it, with its call sites |
//! | who allocated what is live, and since when? | [`track()`], then [`leaks()`] or [`profile()`]; stacks too with the feature `backtrace` |
//! | what is left at the end? | [`report_leaks_at_exit`]; [`Kept`] marks what stays on purpose |
//! | what does a test leave behind? | [`no_leaks`](fn@no_leaks), as a function or an attribute |
//! | what may a type take? | [`PageFamily::set_limit`], [`LimitGroup`], `#[mm(max_bytes = "64 MiB")]` |
//! | what are these values? | [`MmManaged::for_each_live`] |
//!
//! With the feature `tracing`, growth, limits and leaks are events too.
//!
//! # Formats that other programs read
//!
//! | what | for | feature |
//! | --- | --- | --- |
//! | [`Snapshot::openmetrics`] | Prometheus and what else reads OpenMetrics | none |
//! | `Snapshot::to_json`, `Profile::to_json` | programs of one's own; the schemas have a version | `json` |
//! | `Profile::to_pprof` | pprof, Pyroscope, Parca | `pprof` |
//! | `report_on_signal`, `MM_OPTIONS=signal=HUP` | a person with a shell | `signal`, on Unix |
//!
//! # Signal handlers and forks
//!
//! A signal handler must not allocate or release: it may have interrupted mm with a cache half
//! changed. In debug builds mm finds a handler that did, and ends the process with a message.
//!
//! The child of a process with several threads has all families, whole, and may go on: mm holds its
//! locks while the process forks, and gives the child what the caches of the other threads held. A
//! unit that one of them was about to take or release stays live there. Handlers of
//! `pthread_atfork` may use mm.
//!
//! # Code that mm calls
//!
//! | code | called | a panic |
//! | --- | --- | --- |
//! | the closure of [`WatchBuilder::on_growth`] | on the watcher's thread | gets a line on standard error, and the closure is not called again |
//! | the closure of [`PageFamily::set_soft_limit`], or C's | by the allocation that crosses the limit | goes on through the allocation; if C allocates, it gets a line |
//! | subscribers of `tracing` | for growth, crossed limits, refusals by a limit, and leaks | is caught |
//! | closures handed to a call, such as [`no_leaks`](fn@no_leaks) and [`MmBox::from_fn`]; destructors, `Clone`, serde | by that call | goes on to the caller |
//!
//! All of it runs when the figures are taken and mm's own lines are written, with no lock held, of mm
//! or of std, and may use mm. Inside of the first three, on the same thread, none of the first three
//! is called: a limit that is crossed there is told by an allocation after it, and an event is
//! dropped. A global allocator that is made of mm must not unwind, so closures of its soft limits must
//! not panic. A subscriber that holds a lock while it allocates can be called for a refusal of that.
//!
//! # Layers
//!
//! Imports go one way: handle, managed, family, heap, os. The registry knows families, reports
//! know snapshots, and `print` joins the two.

// Hosted docs say which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The derive writes `::mm::...`; inside this crate that name must lead here.
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
#[cfg(test)]
mod golden;
mod growth;
mod handle;
mod heap;
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
mod scope;
mod shown;
mod snapshot;
mod startup;
mod sync;
mod track;
mod user_code;
mod visit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use mm_derive::{MmManaged, no_leaks};

pub use crate::entry::{check, families, leaks, leaks_with_values, profile, snapshot, track, trim};
pub use crate::error::{AllocError, CheckError, FreeError, Holder, RegisterError};
pub use crate::export::OpenMetrics;
pub use crate::family::PageFamily;
pub use crate::growth::{Growth, Watch, WatchBuilder, watch};
pub use crate::handle::{Block, IntoIter, Kept, MmBox, xfree};
pub use crate::heap::HugePages;
pub use crate::limit::{Limit, LimitGroup};
pub use crate::managed::{MmManaged, ZeroInit};
#[cfg(all(unix, feature = "signal"))]
pub use crate::on_signal::report_on_signal;
pub use crate::options::{Options, OptionsError};
pub use crate::print::{print_block_usage, print_memory_usage, print_registered_page_families};
#[cfg(feature = "backtrace")]
pub use crate::profile::record_backtraces;
pub use crate::profile::{
    CallSite, FamilyProfile, Frame, LeaksAtExit, Profile, report_leaks_at_exit,
};
pub use crate::release::xfree_raw;
pub use crate::report::{BlockUsage, MemoryUsage, PageFamilies};
pub use crate::scope::{LeakScope, no_leaks};
pub use crate::snapshot::{
    FamilyDiff, FamilyKey, FamilySnapshot, Location, Snapshot, SnapshotDiff,
};
pub use crate::track::Track;
