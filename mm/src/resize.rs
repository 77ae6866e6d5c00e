//! Changing the length of a block.

use core::panic::Location;
use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::PageFamily;
use crate::heap::Caller;

impl PageFamily {
    /// Changes the length of a block from `units` to `new_units` units, and returns its new start.
    ///
    /// A row in a VM page becomes shorter in place. A large block keeps its place if it still fits and would not
    /// waste more than an eighth of its address space, or if the family has free address space behind it. Otherwise the units
    /// are copied to a new block, and the old one is released. The bytes of new units are unspecified. Runs no destructor.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`MmManaged::try_xcalloc`](crate::MmManaged::try_xcalloc); the block is then
    /// unchanged.
    ///
    /// # Safety
    ///
    /// 1. `block` is the start of a live block of `units` units of this family.
    /// 2. No other thread uses it meanwhile, and no [`MmBox`](crate::MmBox) owns it.
    /// 3. Once the call returned another block, nothing uses the old one. If it returned the same one, nothing
    ///    uses units from `new_units` on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("resize-doc:words", Layout::new::<u64>())?;
    /// let row = words.alloc_zeroed(1_000)?;
    /// // SAFETY: `alloc_zeroed` gave the block of 1,000 units, which no other thread uses.
    /// let shorter = unsafe { words.resize(row, 1_000, 600)? };
    /// assert_eq!(shorter, row);
    /// assert_eq!(mm::snapshot().family("resize-doc:words").unwrap().live_units, 600);
    /// // SAFETY: `resize` gave the block of 600 units, which is not used any more.
    /// unsafe { words.release_sized(shorter, 600) };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub unsafe fn resize(
        &'static self,
        block: NonNull<u8>,
        units: usize,
        new_units: usize,
    ) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: requirements 1 to 3 are those of `resize_for`.
        unsafe { self.resize_for(block, units, new_units, &Location::caller()) }
    }

    /// Resizes as [`resize`](Self::resize) does; `caller` is recorded as the call site.
    ///
    /// # Safety
    ///
    /// 1. `block` is the start of a live block of `units` units of this family.
    /// 2. No other thread uses it meanwhile, and no [`MmBox`](crate::MmBox) owns it.
    /// 3. Once the call returned another block, nothing uses the old one. If it returned the same one, nothing
    ///    uses units from `new_units` on.
    pub(crate) unsafe fn resize_for(
        &'static self,
        block: NonNull<u8>,
        units: usize,
        new_units: usize,
        caller: &dyn Caller,
    ) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: requirement 1 is that of `resize_in_place`. Requirements 2 and 3 together are its second one.
        if unsafe { self.heap.resize_in_place(block, units, new_units) } {
            return Ok(block);
        }
        let new = self.alloc_for(new_units, caller)?;
        let bytes = units.min(new_units) * self.layout().size();
        // SAFETY: by requirements 1 and 2 `bytes` bytes of the old block may be read. `alloc_for` made the new
        // one for at least as many, and the two do not overlap, as the old one is live.
        unsafe { new.copy_from_nonoverlapping(block, bytes) };
        // SAFETY: by requirement 1 this is a live block of `units` units, and by requirements 2 and 3 nothing
        // uses it any more, and no `MmBox` owns it.
        unsafe { self.release_sized(block, units) };
        Ok(new)
    }
}
