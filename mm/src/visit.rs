//! Visits to every live unit of a family.

use core::ptr::NonNull;

use crate::family::PageFamily;

impl PageFamily {
    /// Calls `f` with every live unit of the family, each unit of a longer block by itself.
    ///
    /// It is meant for families without a type. All that
    /// [`MmManaged::for_each_live`](crate::MmManaged::for_each_live) says applies here too.
    ///
    /// # Safety
    ///
    /// 1. Requirements 1 to 3 of [`MmManaged::for_each_live`](crate::MmManaged::for_each_live) are met, for
    ///    this family.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("visit-doc:words", Layout::new::<u64>())?;
    /// let four = words.alloc_zeroed(4)?;
    /// let mut sum = 0;
    /// // SAFETY: `alloc_zeroed` made all words zero, and no other thread knows the family.
    /// unsafe { words.for_each_live(|word| sum += word.cast::<u64>().read() + 1) };
    /// assert_eq!(sum, 4);
    /// // SAFETY: `alloc_zeroed` gave the block, which is not used any more.
    /// unsafe { words.release(four)? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn for_each_live(&'static self, mut f: impl FnMut(NonNull<u8>)) {
        self.heap.for_each_live(&mut f);
    }
}
