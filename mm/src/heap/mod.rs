//! The engine: knows layouts and addresses, no types and no names. ARCHITECTURE.md has its layers, and follows
//! one allocation and one release through the files.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | granule | 64 KiB, the step of the table from addresses to records |
//! | VM page | one granule, or more for large units; aligned to its size; has two bit maps |
//! | word | 64 units of a VM page, in the first map; a thread may own it |
//! | owner | the thread that alone changes a word, without a lock; else a word changes under the family's lock |
//! | section | what an owner does in its words at a time; whoever needs them waits for its end |
//! | inbox | the words of one owner that other threads released units of |
//! | extent | VM pages side by side, taken together: 1, 2, 4 ... until they fill 2 MiB |
//! | taken | a unit that is live, in a cache, or on its way to its owner: a bit in the first map |
//! | continues | of a unit: it belongs to the block of the unit before; a bit in the second map |
//! | row | a block of more than one unit; a long one has 32 or more |
//! | bin | the blocks of one short length in a thread's cache |
//! | slack | units that a cached block had more than the row that it was handed out for |
//! | retained | memory of empty extents that a family keeps because it missed it before |
//! | quarantine | released blocks that a hardened family does not hand out yet |
//! | uncached | a family of which every call takes the lock, as it is tracked or limited; its caches are shut |
//! | site | a place in the program that allocated, with the thread, as recorded |
//! | tag | what is recorded of one live block: its site, and when |
//! | mark | a canary in a released block, of a family that keeps them; see `freed_canaries` |
//! | guard | an OS page that nobody can touch, behind units or a large block |
//! | in use | of a VM page: it may be backed by memory |
//!
//! # Equations
//!
//! In every VM page: `taken + free = capacity`, where to the family, though not to the owner, all units of an
//! owned word are taken. In every family, without calls in flight: `taken = live + cached` and
//! `allocated - released = live`, where the slack units of live blocks count as cached. `check.rs` derives
//! each side again.
//!
//! # Locks
//!
//! Locks are taken in one order: a family's, then the arenas' or a region's. None is held while
//! code of the caller runs, and nothing here calls the global allocator. Inside a section no lock is taken.

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
pub(crate) use family::forget_retained_tables;
#[cfg(test)]
pub(crate) use family::taken_bytes;
pub(crate) use family::{Heap, flush_thread, numbers, quota, records_resident};
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
