//! Release by address: for pointers that C code held, or that came from `into_raw`.

use core::ptr::NonNull;

use crate::error::FreeError;
use crate::family::{self, PageFamily};
use crate::heap::{Heap, Refusal};
use crate::os::annotate;

impl PageFamily {
    /// Releases the block that starts at `block`, if it is this family's; runs no destructor.
    ///
    /// It checks the maps and all threads' caches first, so it detects a second release of a block that
    /// was not handed out again. Units of size zero cannot be released this way.
    ///
    /// # Errors
    ///
    /// Returns [`FreeError::Foreign`], [`FreeError::WrongFamily`], [`FreeError::Interior`] or
    /// [`FreeError::NotLive`]; nothing is changed then.
    ///
    /// # Safety
    ///
    /// If a live block of this family starts at `block`:
    ///
    /// 1. No thread uses it any more.
    /// 2. No [`MmBox`](crate::MmBox) owns it.
    /// 3. No other thread releases it at the same time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{FreeError, PageFamily};
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("release-doc:words", Layout::new::<u64>())?;
    /// let others = PageFamily::register("release-doc:others", Layout::new::<u64>())?;
    /// let word = words.alloc(1)?;
    /// // SAFETY: `alloc` gave the block, which is not used any more.
    /// let refused = unsafe { others.release(word) };
    /// assert!(matches!(refused, Err(FreeError::WrongFamily { .. })));
    /// // SAFETY: `alloc` gave the block. The refusal changed nothing, and the block is not used any more.
    /// unsafe { words.release(word)? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn release(&'static self, block: NonNull<u8>) -> Result<(), FreeError> {
        // SAFETY: by requirements 1 to 3 no other code uses, owns or releases a live block at `block`, as
        // `release_raw` requires.
        let answer = unsafe { Heap::release_raw(block, Some(&self.heap)) };
        answer.map_err(|(refusal, owner)| free_error(block, refusal, owner, Some(self)))
    }

    /// Releases a block of `units` units without looking it up; runs no destructor.
    ///
    /// This is the fast way for code that knows the family and the length of its blocks: most calls put the
    /// block into the calling thread's cache. [`release`](Self::release) checks the address first.
    ///
    /// # Safety
    ///
    /// 1. `block` is the start of a live block of `units` units of this family.
    /// 2. No thread uses it any more.
    /// 3. No [`MmBox`](crate::MmBox) owns it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("release-sized-doc:words", Layout::new::<u64>())?;
    /// let five = words.alloc(5)?;
    /// // SAFETY: `alloc` gave the block of five units, which is not used any more.
    /// unsafe { words.release_sized(five, 5) };
    /// # assert_eq!(words.profile().live_blocks, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub unsafe fn release_sized(&'static self, block: NonNull<u8>, units: usize) {
        #[cfg(feature = "capi")]
        if self.heap.keeps_canaries() {
            // SAFETY: by requirements 1 to 3 the block is live and given up, so that it has no canaries.
            let released = unsafe { Heap::release_by_address_of(block, Some(&self.heap)) };
            return debug_assert!(released.is_ok());
        }
        annotate::take_back(block, units * self.layout().size());
        // SAFETY: requirements 1 and 2 are those of `try_put`.
        if !unsafe { self.heap.try_put(block, units) } {
            // SAFETY: requirements 1 and 2 are those of `release_without_cell`: `try_put` changed nothing.
            unsafe { self.heap.release_without_cell(block, units) };
        }
    }
}

/// Releases the block that starts at `block`, of whatever family; runs no destructor.
///
/// It is meant for pointers that C code held, or that came from
/// [`MmBox::into_raw`](crate::MmBox::into_raw). It checks the maps and all threads' caches first, so it
/// detects a second release of a block that was not handed out again. Units of size zero cannot be
/// released this way.
///
/// # Errors
///
/// Returns [`FreeError::Foreign`], [`FreeError::Interior`] or [`FreeError::NotLive`]; nothing is changed
/// then.
///
/// # Safety
///
/// If a live block starts at `block`:
///
/// 1. No thread uses it any more.
/// 2. No [`MmBox`](crate::MmBox) owns it.
/// 3. No other thread releases it at the same time.
///
/// # Examples
///
/// ```
/// use mm::{FreeError, MmBox, MmManaged};
/// use std::ptr::NonNull;
///
/// #[derive(MmManaged)]
/// struct Node(u64);
///
/// let raw = NonNull::new(MmBox::into_raw(MmBox::new(Node(1)))).unwrap().cast();
/// // SAFETY: `into_raw` gave the pointer, which is not used any more.
/// unsafe { mm::xfree_raw(raw)? };
/// // SAFETY: no block is live at `raw` any more, which is what `xfree_raw` reports.
/// let again = unsafe { mm::xfree_raw(raw) };
/// assert!(matches!(again, Err(FreeError::NotLive { .. })));
/// # Ok::<(), FreeError>(())
/// ```
pub unsafe fn xfree_raw(block: NonNull<u8>) -> Result<(), FreeError> {
    // SAFETY: by requirements 1 to 3 no other code uses, owns or releases a live block at `block`, as
    // `release_raw` requires.
    let answer = unsafe { Heap::release_raw(block, None) };
    answer.map_err(|(refusal, owner)| free_error(block, refusal, owner, None))
}

#[cold]
pub(crate) fn free_error(
    block: NonNull<u8>,
    refusal: Refusal,
    owner: Option<&'static Heap>,
    asked: Option<&'static PageFamily>,
) -> FreeError {
    let address = block.addr().get();
    // The heap's family has the label. It is on the list, since a family is listed before it hands out memory.
    let owner = owner.and_then(family::of_heap);
    let family = owner.map_or("?", PageFamily::label);
    match refusal {
        Refusal::Foreign => FreeError::Foreign { address },
        Refusal::Interior => FreeError::Interior { family, address },
        Refusal::NotLive => FreeError::NotLive { family, address },
        Refusal::WrongFamily => FreeError::WrongFamily {
            asked: asked.map_or("?", PageFamily::label),
            family,
            address,
        },
    }
}
