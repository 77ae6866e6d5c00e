//! The engine: it knows layouts and addresses, but no types and no names. ARCHITECTURE.md lists its layers and
//! follows one allocation and one release through the files.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | unit | the memory of one value of a family's type |
//! | block | one or more units side by side, allocated together |
//! | row | a block of more than one unit; a long row has 32 units or more |
//! | VM page | a piece of address space that is divided into units; it has two bit maps |
//! | granule | 64 KiB: the smallest VM page, and the step of the table from addresses to records |
//! | extent | VM pages side by side, taken from the system together: 1, 2, 4 ... until they fill 2 MiB |
//! | taken | of a unit: live, in a cache, or on its way to its owner; a bit in the first map |
//! | continues | of a unit: it belongs to the same block as the unit before; a bit in the second map |
//! | word | 64 bits of the first map: 64 units; a thread may own it |
//! | owner | the thread that alone changes a word, without a lock; a word without one changes under the family's lock |
//! | section | the time in which an owner works on its words; a thread that needs the words waits until it ends |
//! | inbox | a list of words with units that other threads released |
//! | bin | the rows of one short length in a thread's cache |
//! | slack | the units of a cached row beyond the length that was asked for |
//! | retained | of an extent: empty, but its memory is kept, because the family missed such memory before |
//! | quarantine | released blocks that a hardened family does not hand out yet |
//! | uncached | of a family: each call takes the lock, since the family is tracked or has a limit |
//! | site | a place in the program that allocated, and the thread that ran there |
//! | tag | the record of one live block: its site, and the time |
//! | canary | a number that a release writes into a block, in families that ask for it; see `freed_canaries` |
//! | guard | an inaccessible OS page behind the units of a VM page, or behind a large block |
//! | in use | of a VM page: memory may back it |
//!
//! # Equations
//!
//! In each VM page, `taken + free = capacity`. The family counts all units of a word with an owner as taken;
//! the owner does not. In each family, while no call is running, `taken = live + cached` and `allocated -
//! released = live`. Here the slack of live blocks counts as cached. `walk/check.rs` derives each side again.
//!
//! # Locks
//!
//! A thread takes a family's lock before that of the arenas or of a region. No lock is held while code of the
//! user runs, and the engine never calls the global allocator. Inside a section, no thread takes a lock.

#[cfg(feature = "capi")]
mod by_address;
mod family;
mod fork;
mod ground;
#[cfg(all(test, loom))]
pub(crate) mod models;
mod pages;
mod tracking;
mod walk;

#[cfg(feature = "capi")]
pub(crate) use by_address::{Put, TakenUnit};
pub use family::CacheCell;
#[cfg(test)]
pub(crate) use family::committed_bytes;
#[cfg(test)]
pub(crate) use family::forget_retained_tables;
pub(crate) use family::{Heap, flush_thread, numbered_families, quota, records_resident};
pub(crate) use fork::{keep_out_owners, lock_shared_for_fork, unlock_shared_after_fork};
#[cfg(feature = "capi")]
pub(crate) use ground::BlockView;
pub use ground::HugePages;
#[cfg(test)]
pub(crate) use ground::SPARSE;
pub(crate) use ground::{Block, Link, RECORDS, Refusal, Shortage, hardening, is_paged};
#[cfg(feature = "capi")]
pub(crate) use tracking::kept_file;
pub(crate) use tracking::{
    Amount, Caller, Inherited, MOST_SCOPES, OTHER as OTHER_SITES, Origin, Recorded, Scope,
    ScopeNumber, Site, SiteFigures, Whose, account_scope, enter_scope, from_start, scope, scopes,
    trim_recorded,
};
pub(crate) use walk::{Figures, Occupancy, add_resident};
#[cfg(feature = "capi")]
pub(crate) use walk::{PageView, Walk};
