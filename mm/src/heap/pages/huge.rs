//! Huge OS pages: which address space asks for huge or for small pages, and how many mappings that takes.
//!
//! # What huge pages cost and gain
//!
//! - Where the system uses huge pages for all memory, the kernel backs 2 MiB at the first touch of any byte.
//!   Small families become large: 1,000 families with one VM page each take 66 MiB instead of 6.
//! - Random access to large families becomes faster: one access to 64 bytes of 256 MiB takes 0.26 instead of
//!   0.44 microseconds.
//! - Building a large tree of nodes becomes no cheaper. On a virtual machine, in memory that the machine had not
//!   used before, it takes twice the system time that small pages and `Box` take; in memory that it had used, it
//!   takes half.
//!   malloc grows by less than 2 MiB, so it begins with small pages too, and the kernel may join them later.
//! - With the usual `defrag=madvise`, a process that asks for huge pages may wait while the kernel moves other
//!   pages out of the way. A process that does not ask never waits.
//!
//! # What mm does
//!
//! - Small families ask for small pages where the system would give huge ones. Large families begin with small
//!   pages, as malloc does.
//! - A family asks for huge pages for memory that comes and goes: if it needs memory again that it gave back
//!   shortly before, it pays for each page anew, and one huge page costs a tenth of 512 small ones.
//! - Blocks larger than a VM page follow the system's setting, as in malloc.
//! - Untyped blocks, which [`Global`](crate::Global) gives out, are most of a program's memory: for them a family
//!   asks for huge pages as soon as it needs 2 MiB at once. Building a million short
//!   strings takes about 0.6 of the time then.
//! - The program can choose otherwise.
//!
//! Neighbouring parts of the address space that asked for different pages are two mappings of the kernel. A
//! process can have a limited number of mappings, and threads, libraries and growth need them too.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::Extent;
use super::record::{Record, SPACE, Span};
use crate::heap::ground::EXTENT;
use crate::heap::ground::hardening::Contents;
use crate::heap::ground::huge::{HugePages, chosen, may_surprise};
use crate::os::huge::{are_usual, may_be_asked_for};
use crate::os::{Lock, Refused, process};

/// Families with at least this many bytes of address space are large.
const LARGE_FROM: usize = 8 << 20;

/// The pages that a part of the address space asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::heap) enum Wish {
    None = 0,
    Small = 1,
    Huge = 2,
}

/// Mappings that extents and large blocks take because they asked for other pages than their neighbours, or because
/// their memory was moved.
static EDGES: Lock<usize> = Lock::new(0);

impl Wish {
    /// The pages that all address space asks for at first.
    pub(in crate::heap) fn of_all() -> Self {
        match chosen() {
            HugePages::Never => Self::Small,
            HugePages::Auto => Self::None,
            HugePages::Always => Self::Huge,
        }
    }

    pub(in crate::heap) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Small,
            _ => Self::Huge,
        }
    }

    /// The pages that the memory at `address` asked for.
    fn at(address: usize) -> Self {
        match SPACE.record_at(address) {
            Some(Record::Extent(extent)) => extent.wish(),
            _ => Self::of_all(),
        }
    }
}

impl Span {
    /// Prepares a place for an extent so that it begins with small OS pages. The family has `mapped` bytes of
    /// address space so far. On failure, the place can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The place is committed.
    /// 2. No record leads to it yet, and nothing is in it.
    #[cold]
    pub(in crate::heap) unsafe fn begin_extent(
        &self,
        mapped: usize,
        calls: &mut u64,
    ) -> Result<(), Refused> {
        if !may_surprise() || is_small(self.bytes, mapped + self.bytes) {
            return Ok(());
        }
        *calls += 2;
        // SAFETY: requirement 1 is the first of `begin_small`. By requirement 2 nothing is in the place, so
        // that nothing needs its contents.
        unsafe { self.begin_small() }
    }

    /// Asks for the pages that all address space asks for at first. The place was never used.
    pub(in crate::heap) fn begin_wish(&self, calls: &mut u64) {
        let wish = Wish::of_all();
        if wish != Wish::None {
            *calls += 1;
            self.prefer_huge(wish == Wish::Huge);
        }
    }
}

impl Extent {
    /// Asks for small OS pages if the family is small; it has `mapped` bytes of address space. Asks for huge ones
    /// in a full-grown extent of untyped blocks. The extent was never used.
    #[cold]
    pub(in crate::heap) fn begin_wish(&self, mapped: usize, is_untyped: bool, calls: &mut u64) {
        if is_untyped && self.bytes() == EXTENT && asks_for_untyped() {
            self.wish_for(Wish::Huge, calls);
        } else if may_surprise() && is_small(self.bytes(), mapped) {
            self.wish_for(Wish::Small, calls);
        }
    }

    /// Asks for small OS pages, because parts of the extent go back to the kernel. Otherwise the kernel would
    /// later join the other parts to huge pages again.
    #[cold]
    pub(in crate::heap) fn end_huge(&self, calls: &mut u64) {
        self.wish_for(Wish::Small, calls);
    }

    /// Asks for huge OS pages if the program chose them, or if the family recently missed much memory that it
    /// had given back: `missed` bytes. No memory backs the extent.
    #[cold]
    pub(in crate::heap) fn begin_again(&self, missed: usize, calls: &mut u64) {
        let comes_and_goes =
            || self.bytes() == EXTENT && missed >= LARGE_FROM && may_be_asked_for();
        let asks = match chosen() {
            HugePages::Never => false,
            HugePages::Auto => !self.geometry().contents().are_guarded() && comes_and_goes(),
            HugePages::Always => true,
        };
        if asks {
            self.wish_for(Wish::Huge, calls);
        }
    }

    /// Whether huge OS pages may back the extent.
    pub(in crate::heap) fn is_huge(&self) -> bool {
        match self.wish() {
            Wish::None => are_usual(),
            wish => wish == Wish::Huge,
        }
    }

    pub(in crate::heap) fn wish(&self) -> Wish {
        Wish::from_number(self.wish.load(Relaxed))
    }

    /// Asks for other OS pages than before, unless this would take too many mappings.
    #[cold]
    fn wish_for(&self, wish: Wish, calls: &mut u64) {
        if wish == self.wish() {
            return;
        }
        // The lock is held while the wish changes, since it also guards the wishes of the neighbours.
        let mut edges = EDGES.lock();
        let after = (*edges + self.edges_of(wish)).saturating_sub(self.edges_of(self.wish()));
        if after > *edges && after > most_edges() {
            return;
        }
        *edges = after;
        *calls += 1;
        self.place.prefer_huge(wish == Wish::Huge);
        self.wish.store(wish as u8, Relaxed);
    }

    /// At how many of its two ends the extent would meet another wish.
    fn edges_of(&self, wish: Wish) -> usize {
        let start = self.place.address();
        let neighbours = [start - 1, start + self.bytes()];
        let others = neighbours.into_iter().filter(|at| Wish::at(*at) != wish);
        others.count()
    }
}

impl Span {
    /// Asks for huge OS pages for large untyped blocks, if the place has room for one, unless this would take too
    /// many mappings. The place was never used. Returns whether it asked.
    #[cold]
    pub(in crate::heap) fn begin_untyped(&self, calls: &mut u64) -> bool {
        // Both ends may meet another wish. Joined and split runs keep theirs, so the number never falls.
        if self.bytes < EXTENT || !asks_for_untyped() || !take_edges(2, most_edges()) {
            return false;
        }
        *calls += 1;
        self.prefer_huge(true);
        true
    }

    /// Asks again for the pages that the place asked for before it was mapped anew: for huge ones if `is_huge`, which
    /// [`begin_untyped`](Self::begin_untyped) returned.
    #[cold]
    pub(in crate::heap) fn wish_again(&self, is_huge: bool, calls: &mut u64) {
        self.begin_wish(calls);
        if is_huge {
            *calls += 1;
            self.prefer_huge(true);
        }
    }
}

/// Counts mappings that moved memory takes. Returns false and counts nothing if they would be too many: the half of
/// all is for wishes.
pub(super) fn take_edges_of_moves(edges: usize) -> bool {
    take_edges(edges, most_edges() / 2)
}

/// Counts mappings that runs take because they were split, and those that are no more.
pub(super) fn account_edges(more: usize, fewer: usize) {
    if more != fewer {
        let mut edges = EDGES.lock();
        *edges = (*edges + more).saturating_sub(fewer);
    }
}

fn take_edges(more: usize, most: usize) -> bool {
    let mut edges = EDGES.lock();
    let is_room = *edges + more <= most;
    if is_room {
        *edges += more;
    }
    is_room
}

/// Takes the lock before a fork.
pub(in crate::heap) fn lock_for_fork() {
    EDGES.lock_for_fork();
}

/// Releases the lock that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `EDGES`.
    unsafe { EDGES.unlock_after_fork() };
}

/// Whether large address space for untyped blocks asks for huge OS pages where the program did not choose.
fn asks_for_untyped() -> bool {
    chosen() == HugePages::Auto && !Contents::Untyped.are_guarded() && may_be_asked_for()
}

/// Whether huge OS pages would give an extent's family more memory than it needs.
fn is_small(bytes: usize, mapped: usize) -> bool {
    bytes < EXTENT || mapped < LARGE_FROM
}

/// A quarter of the mappings that a process can have.
fn most_edges() -> usize {
    process::most_mappings() / 4
}
