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
//! # Layers
//!
//! Imports go one way: handle, managed, family, heap, os. The registry knows families, reports
//! know snapshots, and `print` joins the two.

// The derive writes `::mm::...`; inside this crate that name must lead here.
extern crate self as mm;

mod error;
mod family;
#[cfg(test)]
mod faults;
mod fork;
mod handle;
mod heap;
mod managed;
mod newtype;
mod options;
mod os;
mod print;
mod registry;
mod release;
mod report;
mod snapshot;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use mm_derive::MmManaged;

pub use crate::error::{AllocError, CheckError, FreeError, RegisterError};
pub use crate::family::PageFamily;
pub use crate::handle::{Block, IntoIter, MmBox, xfree};
pub use crate::managed::{MmManaged, ZeroInit};
pub use crate::options::{Options, OptionsError};
pub use crate::print::{print_block_usage, print_memory_usage, print_registered_page_families};
pub use crate::registry::{check, families, snapshot, trim};
pub use crate::release::xfree_raw;
pub use crate::report::{BlockUsage, MemoryUsage, PageFamilies};
pub use crate::snapshot::{FamilyDiff, FamilySnapshot, Location, Snapshot, SnapshotDiff};
