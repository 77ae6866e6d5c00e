//! The engine: it knows layouts and addresses, but no types and no names. ARCHITECTURE.md lists its layers and
//! follows one allocation and one release through the files.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | family | all blocks of one type, or of one registered name; its memory is a `Heap` |
//! | unit | the memory of one value of a family's type |
//! | block | one or more units side by side, allocated together |
//! | row | a block of more than one unit; a short row has at most 31 units, a long row at least 32 |
//! | large block | a block larger than a VM page; it has address space of its own |
//! | VM page | a piece of address space, divided into units of one family; all VM pages of a family have one size. Two bit maps describe its units |
//! | granule | 64 KiB: the smallest VM page, and the step of the table from addresses to records |
//! | extent | VM pages side by side, made together. The first extent of a family has 1 VM page, each later one twice as many as the last, up to 2 MiB |
//! | taken | said of a unit that is live, in a cache, or on its way to the owner of its word; a bit in the first map |
//! | continues | said of a unit that belongs to the same block as the unit before; a bit in the second map |
//! | word | 64 bits of the first map, and the 64 units that they describe; a thread may own a word |
//! | owner | the only thread that changes a word. It needs no lock. A word without an owner changes under the family's lock |
//! | section | the time in which an owner works on its words; another thread that needs the words waits until the section ends |
//! | inbox | a list of words with units that other threads released |
//! | cache | what one thread keeps of one family: released units and rows, and free units to be handed out next |
//! | cell | a thread-local pointer to the thread's cache of one family |
//! | record | what mm keeps about an extent, a large block or a cache, outside of the program's blocks |
//! | stack | the array of released units in a cache |
//! | run | released units side by side in a cache; in a map, free units side by side; in `large`, address space for one large block |
//! | bin | the short rows of one length in a thread's cache; long rows are in lists |
//! | slack | the units of a cached row beyond the length that was asked for |
//! | retained | said of an extent without a taken unit whose memory the family keeps: it is little memory, or the family gave back as much before and soon needed it again |
//! | purge | to give free memory back to the kernel |
//! | reclaim | to take words from their owner, under the family's lock |
//! | quarantine | released blocks that a hardened family does not hand out yet |
//! | uncached | said of a family whose calls all take the lock, since it is tracked or has a limit |
//! | site | a place in the program that allocated, and the thread that ran there |
//! | tag | the record of one live block: its site, and the time |
//! | canary | a number that a release writes into a block, in families that ask for it; see `freed_canaries` |
//! | guard | an inaccessible OS page behind the units of a VM page, or behind a large block |
//! | in use | said of a VM page that memory may back: a unit was taken there since the page was made or given back |
//!
//! # Equations
//!
//! In each VM page, `taken + free = capacity`. If a word has an owner, the family counts all its units as
//! taken, but the owner sees which of them are free. In each family, while no call is running, `taken = live +
//! cached` and `allocated - released = live`. Here the slack of live blocks counts as cached. `walk/check.rs`
//! tests these equations: it counts both sides in the pages and caches.
//!
//! # Locks
//!
//! A thread takes a family's lock before the lock of the arenas or of a region, which give out address space
//! and memory for records (`os`). No lock is held while code of the user runs, and the engine never calls the
//! global allocator. Inside a section, no thread takes a lock.

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
pub(crate) use family::{
    Flow, Heap, flush_thread, numbered_families, quota, records_resident, replace_sample, sample_of,
};
pub(crate) use fork::{keep_out_owners, lock_shared_for_fork, unlock_shared_after_fork};
#[cfg(feature = "capi")]
pub(crate) use ground::BlockView;
pub use ground::HugePages;
#[cfg(test)]
pub(crate) use ground::SPARSE;
pub(crate) use ground::{Block, Link, RECORDS, Refusal, Shortage, hardening, heap_limit, is_paged};
pub(crate) use pages::{Sample, is_in_sampled_range, reserve_sampled_range};
#[cfg(feature = "capi")]
pub(crate) use tracking::kept_file;
pub(crate) use tracking::{
    Amount, Caller, Counted, Inherited, MOST_SCOPES, OTHER as OTHER_SITES, Origin, Recorded, Scope,
    ScopeNumber, Site, SiteFigures, Whose, account_scope, enter_scope, from_start, scope, scopes,
    trim_recorded,
};
pub(crate) use walk::{Figures, Occupancy, add_resident};
#[cfg(feature = "capi")]
pub(crate) use walk::{PageView, Walk};
