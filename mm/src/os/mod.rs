//! The kernel's memory: reservations, their memory, and the arenas made of them.
//!
//! | file | job |
//! | --- | --- |
//! | `mmap.rs` | Linux: calls for memory, and checks of the kernel's answers |
//! | `portable.rs` | the same on `std::alloc`, elsewhere |
//! | `faulty.rs` | in tests: refuses the nth call |
//! | `address_space.rs` | opens arenas as they are needed |
//! | `arena.rs` | cuts a reservation into runs |
//! | `address_table.rs` | finds a run's record by address |
//! | `huge.rs` | whether the system uses huge OS pages by default |
//! | `reentrancy.rs` | in debug builds: detects signal handlers that interrupted mm and call it |
//! | `lock.rs` | a mutex that can be held across a fork |
//! | `membarrier.rs` | a fence on every CPU that runs a thread of the process |
//! | `section.rs` | in debug builds: checks that nothing slow happens inside a section of the biased lock |
//! | `forks.rs` | the number of forks between the first process of the program and this one |
//! | `output.rs` | writes text without an allocation |
//! | `library.rs` | keeps a shared library loaded |
//! | `tsan.rs` | std's locks in a form that ThreadSanitizer can follow |
//! | `clock.rs` | the time |
//! | `stdio.rs` | prints as C programs do |
//! | `unwind.rs` | return addresses of the calling thread |
//! | `tls_slot.rs` | one word of the calling thread, for the hot paths of run-time families |
//! | `pagemap.rs` | which OS pages have memory of their own: Linux 6.7 |
//! | `environment.rs` | the variables that the process was started with |
//! | `process.rs` | the kernel's figures of the process: limits, resident bytes |
//! | `annotate/` | tells valgrind and AddressSanitizer which memory is in use |

pub(crate) mod address_space;
mod address_table;
pub(crate) mod arena;
pub(crate) mod clock;
pub(crate) mod environment;
#[cfg(test)]
pub(crate) mod faulty;
pub(crate) mod forks;
pub(crate) mod huge;
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static"),
    not(miri)
))]
mod library;
mod reentrancy;
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static"),
    not(miri)
)))]
mod library {
    /// Static programs have no libraries, and musl never unloads any; elsewhere nothing is done.
    pub(crate) fn stay_loaded() {}
}
mod lock;
pub(crate) mod membarrier;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod mmap;
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
)))]
#[path = "portable.rs"]
mod mmap;
#[cfg(all(
    test,
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
pub(crate) use mmap::lies;
mod output;
#[cfg(all(
    feature = "capi",
    target_os = "linux",
    target_arch = "x86_64",
    not(all(test, loom))
))]
pub(crate) mod tls_slot;
#[cfg(not(all(
    feature = "capi",
    target_os = "linux",
    target_arch = "x86_64",
    not(all(test, loom))
)))]
pub(crate) mod tls_slot {
    use core::cell::Cell;
    use core::ptr;

    std::thread_local! {
        static WORD: Cell<*const ()> = const { Cell::new(ptr::null()) };
    }

    /// The word that the calling thread stored last; null at first.
    #[inline]
    pub(crate) fn get() -> *const () {
        WORD.get()
    }

    /// Puts `word` there.
    pub(crate) fn set(word: *const ()) {
        WORD.set(word);
    }
}
pub(crate) mod annotate;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod pagemap;
pub(crate) mod process;
pub(crate) mod section;
#[cfg(feature = "capi")]
pub(crate) mod stdio;
#[cfg(mm_tsan)]
mod tsan;
pub(crate) mod unwind;

pub(crate) use library::stay_loaded;
pub(crate) use lock::{Lock, MutexGuard};
pub(crate) use output::write_text;
pub(crate) use reentrancy::ReentrancyGuard;

use core::ops::Range;
use core::ptr::NonNull;

#[cfg(test)]
pub(crate) type System = faulty::Faulty<mmap::Kernel>;
#[cfg(not(test))]
pub(crate) type System = mmap::Kernel;

/// The means by which one walk over memory asks the kernel.
pub(crate) type Look = <System as PageSource>::Look;

/// OS pages that one call asks about: 2 MiB if an OS page has 4 KiB.
const RESIDENT_PAGES: usize = 512;

/// The kernel refused. Nothing changed, except that a `discard` may have stopped half way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// How a range is kept inaccessible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// By marks in the page table.
    Marks,
    /// By separate mappings, whose number is limited.
    Mappings,
}

/// Where address space and memory come from.
///
/// # Safety
///
/// 1. What `reserve` returns is used by nothing else until `unreserve`.
/// 2. After `commit` succeeded the range can be read and written, and what was never written reads as zero.
/// 3. After `discard` succeeded the whole range reads as zero.
pub(crate) unsafe trait PageSource {
    /// The state of one walk over memory, which [`resident`](Self::resident) needs.
    type Look;

    /// Bytes that the first arena asks for. Each further one asks for twice as much as the last.
    const FIRST_ARENA: usize;

    /// The most bytes that an arena asks for, unless one block needs more.
    const LARGEST_ARENA: usize;

    /// Bytes of one OS page.
    fn page_bytes() -> usize;

    /// Reserves `bytes` of address space at a multiple of `align`, without memory.
    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused>;

    /// Gives a reservation back.
    ///
    /// # Safety
    ///
    /// 1. The range is one whole reservation, made with the same alignment.
    /// 2. Nothing uses it any more.
    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, align: usize);

    /// Makes a part of a reservation readable and writable.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages inside one reservation.
    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Whether [`discard`](Self::discard) can succeed for any memory.
    fn can_discard() -> bool;

    /// Returns the memory of a range to the kernel; the range then reads as zero. After a refusal, parts of
    /// it may read as zero.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. Nothing needs their contents.
    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Makes a range inaccessible: the kernel ends the process at an access. Its contents are lost. After a
    /// refusal, all of it can be used as before.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. Nothing needs their contents.
    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused>;

    /// Ends what [`guard`](Self::guard) did to the whole range.
    ///
    /// # Safety
    ///
    /// 1. `guard` accepted the range, and `how` is what it answered.
    unsafe fn unguard(start: NonNull<u8>, bytes: usize, how: Guard) -> Result<(), Refused>;

    /// Asks for huge OS pages in a range, or for small ones; a hint, so it returns nothing.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages inside one reservation.
    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool);

    /// Makes the kernel back a range with small OS pages at first, even if huge ones are the default. Later
    /// the kernel may combine small pages into a huge one. After a refusal, the range can no longer be used.
    ///
    /// # Safety
    ///
    /// 1. The range consists of OS pages that are committed.
    /// 2. Nothing needs their contents.
    unsafe fn begin_small(start: NonNull<u8>, bytes: usize) -> Result<(), Refused>;

    /// Begins a walk.
    fn look() -> Self::Look;

    /// Whether [`resident`](Self::resident) leaves out pages that were only read, which are the kernel's
    /// page of zeros.
    fn tells_zeros(look: &Self::Look) -> bool;

    /// Writes for each OS page from `start` on whether memory backs it, into the byte's lowest bit. After a
    /// refusal, nothing is known about any of them.
    ///
    /// # Safety
    ///
    /// 1. As many OS pages as `pages` has bytes lie inside one reservation, from `start` on.
    unsafe fn resident(
        look: &Self::Look,
        start: NonNull<u8>,
        pages: &mut [u8],
    ) -> Result<(), Refused>;
}

/// Takes `wanted` bytes by `take`. If they are refused, it takes an eighth of the available bytes, but no
/// less than `least`: other users of the same limit need the rest.
pub(crate) fn reserve_some<T>(
    wanted: usize,
    least: usize,
    mut take: impl FnMut(usize) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut bytes = wanted;
    loop {
        match take(bytes) {
            // On any error: valgrind, for one, returns EINVAL if the size is too large for it.
            Err(Refused) if bytes > least => bytes = (bytes / 2).max(least),
            Ok(all) if bytes < wanted && bytes / 8 > least => {
                drop(all);
                return take(bytes / 8);
            }
            answer => return answer,
        }
    }
}

/// A reservation of address space, given back when dropped.
///
/// # Invariants
///
/// 1. `start..start + bytes` is one reservation of [`System`], aligned to `align`, that this
///    value owns.
/// 2. `bytes` is a multiple of the OS page.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    align: usize,
}

// SAFETY: by invariant 1 the reservation is owned, and no thread is tied to it.
unsafe impl Send for Mapping {}
// SAFETY: a shared `Mapping` hands out addresses and asks the kernel, which any thread may do: by invariant
// 1 what it asks about stays.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves `bytes`, rounded up to OS pages, at a multiple of `align`.
    pub(crate) fn reserve(bytes: usize, align: usize) -> Result<Self, Refused> {
        let page = System::page_bytes();
        let bytes = bytes.checked_next_multiple_of(page).ok_or(Refused)?;
        let align = align.max(page);
        let start = System::reserve(bytes, align)?;
        Ok(Self {
            start,
            bytes,
            align,
        })
    }

    /// Bytes of the reservation.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Address of the first byte.
    pub(crate) fn address(&self) -> usize {
        self.start.addr().get()
    }

    /// Pointer to the byte at `offset`, which may be one past the end.
    pub(crate) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.bytes, "outside the mapping");
        // SAFETY: by invariant 1 the place is inside of one reservation, or one past it: `offset` was
        // compared.
        unsafe { self.start.add(offset) }
    }

    /// Makes the OS pages of `range` readable and writable.
    pub(crate) fn commit(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation.
        unsafe { System::commit(start, bytes) }
    }

    /// Asks for huge OS pages in `range`.
    pub(crate) fn prefer_huge(&self, range: Range<usize>, wanted: bool) {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that the range consists of OS pages of this reservation.
        unsafe { System::prefer_huge(start, bytes, wanted) };
    }

    /// Makes `range` inaccessible.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. Nothing needs its contents.
    pub(crate) unsafe fn guard(&self, range: Range<usize>) -> Result<Guard, Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that these are OS pages of this reservation; requirements 1 and 2 are the
        // rest.
        unsafe { System::guard(start, bytes) }
    }

    /// Makes `range` accessible again.
    ///
    /// # Safety
    ///
    /// 1. [`guard`](Self::guard) accepted the range, and `how` is what it answered.
    pub(crate) unsafe fn unguard(&self, range: Range<usize>, how: Guard) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: requirement 1 is that of `System::unguard`, since `guard` asked it with the same `part`.
        unsafe { System::unguard(start, bytes, how) }
    }

    /// Makes the kernel back `range` with small OS pages at first; if it refuses, `range` can no longer be
    /// used.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. Nothing needs its contents.
    pub(crate) unsafe fn begin_small(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that these are OS pages of this reservation; requirements 1 and 2 are the
        // rest.
        unsafe { System::begin_small(start, bytes) }
    }

    /// Gives the memory of `range` back; on success it reads as zero.
    ///
    /// # Safety
    ///
    /// 1. The range is committed.
    /// 2. Nothing needs its contents.
    pub(crate) unsafe fn discard(&self, range: Range<usize>) -> Result<(), Refused> {
        let (start, bytes) = self.part(range);
        // SAFETY: `part` checked that these are OS pages of this reservation; requirements 1 and 2 are the
        // rest.
        unsafe { System::discard(start, bytes) }
    }

    /// Bytes of `range` that are backed by memory.
    pub(crate) fn resident(&self, look: &Look, range: Range<usize>) -> Result<usize, Refused> {
        let mut all = Ok(0);
        self.resident_by_step(look, range, usize::MAX, |_, part| {
            all = all.and_then(|all| Ok(all + part?));
        });
        all
    }

    /// Calls `f` with offset and backed bytes of each `step` of `range` that memory backs in part, or whose
    /// state the kernel does not report. `step` is a power of two, and a step may be reported in parts.
    pub(crate) fn resident_by_step(
        &self,
        look: &Look,
        range: Range<usize>,
        step: usize,
        mut f: impl FnMut(usize, Result<usize, Refused>),
    ) {
        let page = System::page_bytes();
        let mut seen = [0_u8; RESIDENT_PAGES];
        let per_call = RESIDENT_PAGES * page;
        for from in range.clone().step_by(per_call) {
            let to = range.end.min(from + per_call);
            let (start, bytes) = self.part(from..to);
            let pages = &mut seen[..bytes / page];
            // SAFETY: `part` checked that these OS pages are of this reservation.
            let answer = unsafe { System::resident(look, start, pages) };
            let per_step = (step / page).clamp(1, RESIDENT_PAGES);
            for (index, part) in pages.chunks(per_step).enumerate() {
                let backed = part.iter().filter(|seen| **seen & 1 != 0).count();
                let bytes = answer.map(|()| backed * page);
                if bytes != Ok(0) {
                    f(from + index * per_step * page, bytes);
                }
            }
        }
    }

    /// Start and length of a range of OS pages inside the reservation.
    fn part(&self, range: Range<usize>) -> (NonNull<u8>, usize) {
        let page = System::page_bytes();
        assert!(
            range.start <= range.end && range.end <= self.bytes,
            "outside the mapping"
        );
        assert!(
            range.start.is_multiple_of(page) && range.end.is_multiple_of(page),
            "part of an OS page"
        );
        (self.at(range.start), range.len())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: by invariant 1 this owns the whole reservation, and it ends here.
        unsafe { System::unreserve(self.start, self.bytes, self.align) };
    }
}
