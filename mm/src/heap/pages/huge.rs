//! Huge OS pages: which address space asks for them or for none, and how many mappings that takes.
//!
//! Where huge pages are usual, the kernel backs 2 MiB at the first touch of any byte there. That makes
//! small families large: 1,000 of them with one VM page each take 66 instead of 6 MiB. It makes random
//! access to large families faster: 64 bytes after 64 bytes of 256 MiB takes 0.26 instead of 0.44
//! microseconds. And it makes a large tree of nodes no cheaper to build: on a virtual machine, of memory
//! that it had not used before, it takes twice the system time of small pages and of `Box`; of memory it
//! had used, half. malloc grows by less than 2 MiB, and so begins with small pages too, which the kernel
//! joins later if it likes. Under the usual `defrag=madvise` whoever asks for huge pages may also wait
//! while the kernel moves other pages out of the way; whoever does not ask, never waits.
//!
//! So small families ask for small pages, where they would have others; large ones begin with small
//! pages, as malloc does. Huge ones are asked for where much memory comes and goes: a family that needs
//! again what it gave back not long before pays for each page anew, and a huge one costs a tenth of the 512
//! small ones. Blocks larger than a VM page are left to the system's setting, as malloc's are. A program
//! that knows better says so.
//!
//! Where two parts of the address space asked for different pages, the kernel has two mappings, and of
//! those a process has only so many: threads, libraries and growth need them too.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::Extent;
use super::record::{Record, SPACE, Span};
use crate::heap::ground::huge::{HugePages, chosen, may_surprise};
use crate::heap::ground::{EXTENT, hardening};
use crate::os::huge::{are_usual, may_be_asked_for};
use crate::os::{Lock, Refused, process};

/// Families with at least this many bytes of address space are large.
const LARGE_FROM: usize = 8 << 20;

/// What a part of the address space asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::heap) enum Wish {
    None = 0,
    Small = 1,
    Huge = 2,
}

/// Mappings that extents take because they asked for other pages than their neighbours.
static EDGES: Lock<usize> = Lock::new(0);

impl Wish {
    /// What all address space asks for at first.
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

    /// Of the memory at an address.
    fn at(address: usize) -> Self {
        match SPACE.record_at(address) {
            Some(Record::Extent(extent)) => extent.wish(),
            _ => Self::of_all(),
        }
    }
}

impl Span {
    /// Begins with small OS pages where an extent is to be, of a family that has `mapped` bytes of
    /// address space so far. Refused, the place is lost.
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

    /// Asks for what all address space is to have. The place was never used.
    pub(in crate::heap) fn begin_wish(&self, calls: &mut u64) {
        let wish = Wish::of_all();
        if wish != Wish::None {
            *calls += 1;
            self.prefer_huge(wish == Wish::Huge);
        }
    }
}

impl Extent {
    /// Asks for small OS pages if the family is small: it has `mapped` bytes of address space. The
    /// extent was never used.
    #[cold]
    pub(in crate::heap) fn begin_wish(&self, mapped: usize, calls: &mut u64) {
        if may_surprise() && is_small(self.bytes(), mapped) {
            self.wish_for(Wish::Small, calls);
        }
    }

    /// Asks for small OS pages, for parts of the extent go back to the kernel: else it makes huge
    /// pages again of what is left, in its own time.
    #[cold]
    pub(in crate::heap) fn end_huge(&self, calls: &mut u64) {
        self.wish_for(Wish::Small, calls);
    }

    /// Asks for huge OS pages if it did so at first, or if the family needs much again of what it gave back:
    /// `missed` bytes lately. Nothing backs the extent.
    #[cold]
    pub(in crate::heap) fn begin_again(&self, missed: usize, calls: &mut u64) {
        let comes_and_goes =
            || self.bytes() == EXTENT && missed >= LARGE_FROM && may_be_asked_for();
        let asks = match chosen() {
            HugePages::Never => false,
            HugePages::Auto => !hardening::is_guarded() && comes_and_goes(),
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

    /// Asks for other OS pages than before, unless that took more mappings than it may.
    #[cold]
    fn wish_for(&self, wish: Wish, calls: &mut u64) {
        if wish == self.wish() {
            return;
        }
        // Held while the wish changes: the neighbours' are read and changed under it too.
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

/// Holds the lock, before a fork.
pub(in crate::heap) fn lock_for_fork() {
    EDGES.lock_for_fork();
}

/// Ends what [`lock_for_fork`] began.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `EDGES`.
    unsafe { EDGES.unlock_after_fork() };
}

/// Whether huge OS pages would make more of an extent's family than it needs.
fn is_small(bytes: usize, mapped: usize) -> bool {
    bytes < EXTENT || mapped < LARGE_FROM
}

/// A quarter of the mappings that a process can have.
fn most_edges() -> usize {
    process::most_mappings() / 4
}
