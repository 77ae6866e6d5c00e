//! Blocks that live as long as the program on purpose.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use super::{Block, MmBox, sealed};
use crate::units::owner;

/// The owner of a block that stays until the program ends on purpose, such as one held by a static.
///
/// [`leaks`](crate::leaks()) and the report at exit do not count it as a leak, and report how many kept
/// blocks there are. Otherwise it behaves like an [`MmBox`]: dropping it releases the block.
///
/// # Invariants
///
/// 1. The family counts the block as kept, once, for as long as this owns it.
/// 2. The `MmBox` is there until this is dropped or taken apart.
///
/// # Examples
///
/// ```
/// use mm::{Kept, MmBox, MmManaged};
/// use std::sync::OnceLock;
///
/// #[derive(MmManaged)]
/// struct Config {
///     verbose: bool,
/// }
///
/// static CONFIG: OnceLock<Kept<Config>> = OnceLock::new();
///
/// let config = CONFIG.get_or_init(|| Kept::new(MmBox::new(Config { verbose: true })));
/// assert!(config.verbose);
/// assert!(mm::leaks().is_empty());
/// ```
pub struct Kept<B: Block + ?Sized>(ManuallyDrop<MmBox<B>>);

impl<B: Block + ?Sized> Kept<B> {
    /// Marks a block as kept on purpose.
    #[must_use]
    pub fn new(block: MmBox<B>) -> Self {
        let units = units(&block);
        if units > 0 {
            let first = block.ptr.cast();
            owner::<B::Unit>(first).keep(first, units);
        }
        Self(ManuallyDrop::new(block))
    }

    /// Removes the mark, and returns the owner.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::{Kept, MmBox};
    /// let emp = Kept::into_inner(Kept::new(MmBox::new(Emp(1))));
    /// assert!(!mm::leaks().is_empty());
    /// # drop(emp);
    /// ```
    #[must_use]
    pub fn into_inner(this: Self) -> MmBox<B> {
        let mut this = ManuallyDrop::new(this);
        // SAFETY: `ManuallyDrop` keeps `this` from being dropped, and it is not used again.
        unsafe { this.take() }
    }

    /// Gives up ownership for good, and leaves the mark: the block is neither released nor a leak.
    ///
    /// If the program releases the block by its address later, the mark stays, and the family then counts
    /// one leak too few.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::{Kept, MmBox};
    /// let emp: &'static mut Emp = Kept::leak(Kept::new(MmBox::new(Emp(1))));
    /// emp.0 = 2;
    /// assert!(mm::leaks().is_empty());
    /// ```
    #[must_use = "nothing else reaches the values, or releases the block"]
    pub fn leak<'a>(this: Self) -> &'a mut B
    where
        B: 'a,
    {
        let mut this = ManuallyDrop::new(this);
        // SAFETY: by invariant 2 the `MmBox` is there. `ManuallyDrop` keeps `this` from being dropped, and
        // it is not used again.
        MmBox::leak(unsafe { ManuallyDrop::take(&mut this.0) })
    }

    /// Removes the mark, and moves the block out.
    ///
    /// # Safety
    ///
    /// 1. `self` is neither used nor dropped after this.
    unsafe fn take(&mut self) -> MmBox<B> {
        let units = units(&self.0);
        if units > 0 {
            let first = self.0.ptr.cast();
            owner::<B::Unit>(first).keep_no_more(first, units);
        }
        // SAFETY: by invariant 2 the `MmBox` is there, and by requirement 1 this is its last use.
        unsafe { ManuallyDrop::take(&mut self.0) }
    }
}

fn units<B: Block + ?Sized>(block: &MmBox<B>) -> usize {
    <B as sealed::Sealed>::__units(block.ptr)
}

impl<B: Block + ?Sized> Drop for Kept<B> {
    fn drop(&mut self) {
        // SAFETY: `drop` is the last use of a value, and is called once.
        drop(unsafe { self.take() });
    }
}

impl<B: Block + ?Sized> Deref for Kept<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B: Block + ?Sized> DerefMut for Kept<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

impl<B: Block + ?Sized> From<MmBox<B>> for Kept<B> {
    fn from(block: MmBox<B>) -> Self {
        Self::new(block)
    }
}

impl<B: Block + ?Sized + fmt::Debug> fmt::Debug for Kept<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
