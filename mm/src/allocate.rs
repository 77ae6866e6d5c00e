//! Allocation on a `PageFamily`: errors for the caller, events for observers.

use core::panic;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::AllocError;
use crate::events;
use crate::family::{self, HeapSoftLimit, PageFamily, SoftLimit};
use crate::heap::{self, Block, CacheCell, Caller, Sample, Shortage, heap_limit};
use crate::holders::Holders;
use crate::os::{ReentrancyGuard, clock, process};
use crate::shown::Shown;
use crate::user_code::{self, Unfinished};

/// Milliseconds between two times that families give back what they keep, because of the limit of
/// the heap, if little was released since.
const PAUSE: u64 = 100;

/// Bytes of the smallest VM page: unless so many were released since, there is nothing new to give back.
const GRANULE: u64 = 64 << 10;

impl PageFamily {
    /// Allocates a block of `units` units; their bytes are unspecified.
    ///
    /// Release the block by [`release`](Self::release) or [`xfree_raw`](crate::xfree_raw).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`MmManaged::try_xcalloc`](crate::MmManaged::try_xcalloc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("alloc-doc:words", Layout::new::<u64>())?;
    /// let word = words.alloc(1)?.cast::<u64>();
    /// // SAFETY: `alloc` gave a unit of eight bytes, aligned for a `u64`, that no other thread uses.
    /// unsafe { word.write(7) };
    /// // SAFETY: `alloc` gave the block, which is not used any more.
    /// unsafe { words.release(word.cast())? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc(&'static self, units: usize) -> Result<NonNull<u8>, AllocError> {
        self.alloc_for(units, &panic::Location::caller())
    }

    /// Allocates a block of `units` units, all bytes zero.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`MmManaged::try_xcalloc`](crate::MmManaged::try_xcalloc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("alloc-zeroed-doc:words", Layout::new::<u64>())?;
    /// let four = words.alloc_zeroed(4)?.cast::<[u64; 4]>();
    /// // SAFETY: `alloc_zeroed` gave four words, all zero.
    /// assert_eq!(unsafe { four.read() }, [0; 4]);
    /// // SAFETY: `alloc_zeroed` gave the block, which is not used any more.
    /// unsafe { words.release(four.cast())? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_zeroed(&'static self, units: usize) -> Result<NonNull<u8>, AllocError> {
        self.alloc_zeroed_for(units, &panic::Location::caller())
    }

    /// Allocates as [`alloc`](Self::alloc) does; `caller` is recorded as the call site.
    #[inline]
    pub(crate) fn alloc_for(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<NonNull<u8>, AllocError> {
        let block = self.alloc_block(units, caller)?;
        let bytes = units * self.layout().size();
        // Only families of C programs mark released blocks. A new block must not keep the marks.
        #[cfg(feature = "capi")]
        if units > 0 {
            // SAFETY: `alloc_block` gave the block, of `units` units, which is handed out only after this.
            unsafe { self.heap.clear_canaries(block) };
        }
        Ok(block.unspecified(bytes))
    }

    /// Allocates as [`alloc_zeroed`](Self::alloc_zeroed) does; `caller` is recorded as the call site.
    #[inline]
    pub(crate) fn alloc_zeroed_for(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<NonNull<u8>, AllocError> {
        let block = self.alloc_block(units, caller)?;
        Ok(block.zeroed(units * self.layout().size()))
    }

    /// Allocates as [`alloc_zeroed_for`](Self::alloc_zeroed_for) does, with fewer steps if the family is one of
    /// a C program and the calling thread's cache has a block.
    #[cfg(feature = "capi")]
    #[inline]
    pub(crate) fn alloc_zeroed_try_cached(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<NonNull<u8>, AllocError> {
        if self.heap.is_fast()
            && let Some(block) = self.heap.try_cached(units)
        {
            return Ok(block.zeroed_unwatched(units * self.layout().size()));
        }
        self.alloc_zeroed_for(units, caller)
    }

    /// Allocates on the slow path, after the calling thread's `cell` had no block.
    pub(crate) fn alloc_slow(
        &'static self,
        cell: &CacheCell,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, AllocError> {
        self.alloc_listed(units, caller, || self.heap.alloc(cell, units, caller))
    }

    /// Takes a block from the calling thread's cache. If that fails, allocates one through the thread's cell.
    #[inline]
    pub(crate) fn alloc_block(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, AllocError> {
        match self.heap.try_cached(units) {
            Some(block) => Ok(block),
            None => self.alloc_with_cell(units, caller),
        }
    }

    /// Looks up the calling thread's cell of this family, and takes a block from it or allocates one.
    #[cold]
    #[inline(never)]
    fn alloc_with_cell(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, AllocError> {
        self.heap.with_cell(|cell| match cell {
            Some(cell) => match self.heap.take(cell, units) {
                Some(block) => Ok(block),
                None => self.alloc_slow(cell, units, caller),
            },
            None => self.alloc_without_cell(units, caller),
        })
    }

    /// Allocates without a cell: the thread ends, or there was no memory for its cells.
    #[cold]
    fn alloc_without_cell(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, AllocError> {
        self.alloc_listed(units, caller, || self.heap.alloc_uncached(units, caller))
    }

    /// Lists the family and calls `alloc`. Afterwards, while no lock of mm is held, reports a refusal or a
    /// crossed soft limit.
    fn alloc_listed(
        &'static self,
        units: usize,
        caller: &dyn Caller,
        mut alloc: impl FnMut() -> Result<Block, Shortage>,
    ) -> Result<Block, AllocError> {
        // Starts mm at the first use. It also lists the family, which no constructor did if the linker left that out.
        self.start();
        heap_limit::begin_call();
        let result = match guarded(&mut alloc) {
            Err(shortage) if heap_limit::take_refusal() => again_below_limit(shortage, &mut alloc),
            result => result,
        };
        let block = result.map_err(|shortage| self.report_shortage(shortage, units))?;
        if let Some(soft) = self.soft_limit.get()
            && soft.crossings.is_any()
        {
            // SAFETY: `alloc` gave the block just now, and it is returned only after this.
            unsafe { self.report_crossing(soft, block.first, units, caller) };
        }
        if heap_limit::is_any_crossing() {
            report_heap_crossing();
        }
        Ok(block)
    }

    /// Allocates a sampled block of one unit, of which the program requested `padding` bytes fewer. Returns `None` if
    /// there is no room, or if a limit forbids it: an ordinary block may be had then.
    pub(crate) fn alloc_sampled(&'static self, sample: Sample, padding: usize) -> Option<Block> {
        self.start();
        match self.heap.alloc_sampled(sample, padding) {
            Ok(block) => Some(block),
            Err(Shortage::Written { address }) => written_after_release(self.label(), address),
            Err(_) => None,
        }
    }

    /// Makes the error for a shortage, and reports it to subscribers if a limit was exceeded.
    #[cold]
    fn report_shortage(&'static self, shortage: Shortage, units: usize) -> AllocError {
        let error = self.alloc_error(shortage, units);
        if matches!(error, AllocError::QuotaExceeded { .. }) {
            events::refused(self, &error);
        }
        error
    }

    /// Reports that the soft limit was crossed. `block` is the one that `caller` is about to get.
    ///
    /// # Safety
    ///
    /// 1. `block` is the start of a live block of `units` units of this family.
    /// 2. No other code uses the block. If this function panics, its caller does not use the block either.
    #[cold]
    unsafe fn report_crossing(
        &'static self,
        soft: &SoftLimit,
        block: NonNull<u8>,
        units: usize,
        caller: &dyn Caller,
    ) {
        // A crossing that user code causes itself is reported later; otherwise this could recurse for ever.
        if user_code::is_running() || !soft.crossings.take() {
            return;
        }
        events::crossed(self);
        let outcome = user_code::notify(|| soft.notify(self));
        let Err(Unfinished::Panicked(panic)) = outcome else {
            return;
        };
        if !caller.can_unwind() {
            return process::write_last_line(format_args!(
                "the closure of the soft limit of page family `{}` panicked",
                Shown(self.label())
            ));
        }
        if units > 0 {
            // SAFETY: by requirement 1 this is a live block of `units` units, and by requirement 2 nothing uses
            // it after the panic, which is next.
            unsafe { self.heap.take_back(block, units) };
        }
        panic.resume();
    }

    fn alloc_error(&'static self, shortage: Shortage, units: usize) -> AllocError {
        let (family, unit_size) = (self.label(), self.layout().size());
        match shortage {
            Shortage::OverLimit { limit_bytes } | Shortage::OverHeapLimit { limit_bytes } => {
                AllocError::QuotaExceeded {
                    family,
                    units,
                    unit_size,
                    limit_bytes,
                    whole_heap: matches!(shortage, Shortage::OverHeapLimit { .. }),
                    largest: Holders::of_refusal(self).largest(),
                }
            }
            Shortage::Overflow => AllocError::SizeOverflow {
                family,
                units,
                unit_size,
            },
            Shortage::NoMemory => AllocError::OutOfMemory {
                family,
                units,
                unit_size,
            },
            Shortage::Written { address } => written_after_release(family, address),
        }
    }
}

/// Allocates again after a refusal by the limit of the heap, once other memory was given back.
#[cold]
fn again_below_limit(
    shortage: Shortage,
    alloc: &mut impl FnMut() -> Result<Block, Shortage>,
) -> Result<Block, Shortage> {
    if !give_back_for_limit() {
        return Err(heap_limit::shortage(shortage));
    }
    guarded(alloc).map_err(|shortage| {
        if heap_limit::take_refusal() {
            heap_limit::shortage(shortage)
        } else {
            shortage
        }
    })
}

fn guarded(alloc: &mut impl FnMut() -> Result<Block, Shortage>) -> Result<Block, Shortage> {
    let _inside = ReentrancyGuard::enter();
    alloc()
}

/// Gives back the memory that families keep for later, since the limit of the heap refuses more. Returns false if
/// that would give back nothing new.
#[cold]
fn give_back_for_limit() -> bool {
    static LAST_AT: AtomicU64 = AtomicU64::new(0);
    static LAST_LIVE: AtomicU64 = AtomicU64::new(u64::MAX);
    let bytes = |family: &'static PageFamily| family.live_units() * family.layout().size() as u64;
    let live: u64 = family::listed().map(bytes).sum();
    let now = clock::milliseconds();
    let is_old = now >= LAST_AT.load(Relaxed).saturating_add(PAUSE);
    let has_fallen = live.saturating_add(GRANULE) <= LAST_LIVE.load(Relaxed);
    if !is_old && !has_fallen {
        // Blocks that came meanwhile may go again.
        LAST_LIVE.fetch_max(live, Relaxed);
        return false;
    }
    LAST_AT.store(now, Relaxed);
    LAST_LIVE.store(live, Relaxed);
    heap::flush_thread();
    family::listed().for_each(|family| _ = family.trim());
    true
}

/// Reports that the heap crossed its soft limit. What user code crosses itself is reported later.
#[cold]
fn report_heap_crossing() {
    let Some(soft) = HeapSoftLimit::current() else {
        return;
    };
    if user_code::is_running() || !heap_limit::take_crossing() {
        return;
    }
    if let Err(Unfinished::Panicked(panic)) = user_code::notify(|| soft.notify()) {
        user_code::discard(panic);
        process::write_last_line(format_args!(
            "the closure of the soft limit of the whole heap panicked"
        ));
    }
}

/// Ends the process: the program wrote to a block after it was released.
#[cold]
fn written_after_release(family: &str, address: usize) -> ! {
    process::write_last_line(format_args!(
        "the byte at {address:#x} of page family `{}` was written after its block was released; aborting",
        Shown(family)
    ));
    std::process::abort();
}
