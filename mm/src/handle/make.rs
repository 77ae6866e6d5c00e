//! The ways to make an [`MmBox`] from values.

use core::pin::Pin;

use super::MmBox;
use super::uninit_block::UninitBlock;
use crate::error::AllocError;
use crate::managed::MmManaged;

impl<T: MmManaged> MmBox<T> {
    /// Moves `value` into a new block of one unit.
    ///
    /// # Panics
    ///
    /// Panics if the family would exceed its limit. Out of memory, it calls
    /// [`handle_alloc_error`](std::alloc::handle_alloc_error) instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Session {
    ///     user: String,
    /// }
    ///
    /// let mut session = MmBox::new(Session { user: "ada".to_owned() });
    /// session.user.make_ascii_uppercase();
    /// assert_eq!(session.user, "ADA");
    /// ```
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn new(value: T) -> Self {
        let block = UninitBlock::new(1);
        // SAFETY: `UninitBlock::new` made the block with one unit.
        unsafe { block.write(value) }
    }

    /// Moves `value` into a new block of one unit, or returns an error.
    ///
    /// # Errors
    ///
    /// Returns [`AllocError::OutOfMemory`] if the kernel gives no memory, and
    /// [`AllocError::QuotaExceeded`] if the family would exceed its limit. On an error no figure changes,
    /// and `value` is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{AllocError, MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let point = MmBox::try_new(Point(1, 2))?;
    /// assert_eq!(point.1, 2);
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_new(value: T) -> Result<Self, AllocError> {
        let block = UninitBlock::try_new(1)?;
        // SAFETY: `UninitBlock::try_new` made the block with one unit.
        Ok(unsafe { block.write(value) })
    }

    /// Moves `value` into a new block of one unit, and pins it there.
    ///
    /// # Panics
    ///
    /// Panics as [`new`](Self::new) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    /// use std::marker::PhantomPinned;
    /// use std::pin::Pin;
    ///
    /// #[derive(MmManaged)]
    /// struct Waiter {
    ///     ticket: u32,
    ///     stays: PhantomPinned,
    /// }
    ///
    /// let waiter: Pin<MmBox<Waiter>> = MmBox::pin(Waiter { ticket: 7, stays: PhantomPinned });
    /// assert_eq!(waiter.ticket, 7);
    /// ```
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn pin(value: T) -> Pin<Self> {
        Self::into_pin(Self::new(value))
    }

    /// Makes a new block of one unit and clones `source` straight into it.
    #[inline]
    #[track_caller]
    pub(super) fn cloned(source: &T) -> Self
    where
        T: Clone,
    {
        // Allocate first, so that the clone is made in place.
        let block = UninitBlock::new(1);
        let value = source.clone();
        // SAFETY: `UninitBlock::new` made the block with one unit.
        unsafe { block.write(value) }
    }
}

impl<T: MmManaged> MmBox<[T]> {
    /// Makes one block of `units` values, each from its index.
    ///
    /// The block is allocated first, then `make` is called for 0, 1, and so on. `make` may allocate and
    /// release, in this family too. If it panics, the values made so far are dropped, the block is
    /// released, and the panic propagates.
    ///
    /// # Panics
    ///
    /// Panics if `units * size_of::<T>()` overflows the size of a block, if the family would exceed its
    /// limit, or if `make` panics. Out of memory, it calls
    /// [`handle_alloc_error`](std::alloc::handle_alloc_error) instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Row {
    ///     label: String,
    /// }
    ///
    /// let rows = MmBox::from_fn(3, |index| Row { label: format!("row {index}") });
    /// assert_eq!(rows.len(), 3);
    /// assert_eq!(rows[2].label, "row 2");
    /// ```
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn from_fn(units: usize, make: impl FnMut(usize) -> T) -> Self {
        UninitBlock::new(units).fill_with(make)
    }

    /// Makes one block of `units` values, each from its index, or returns an error.
    ///
    /// It works as [`from_fn`](Self::from_fn) does; if the allocation fails, `make` is never called.
    ///
    /// # Errors
    ///
    /// Returns [`AllocError::SizeOverflow`] if the block would exceed the largest block size,
    /// [`AllocError::OutOfMemory`] if the kernel gives no memory, and [`AllocError::QuotaExceeded`] if the
    /// family would exceed its limit. A failed call changes no figure.
    ///
    /// # Panics
    ///
    /// Panics if `make` panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::{AllocError, MmBox, MmManaged};
    ///
    /// #[derive(MmManaged)]
    /// struct Square(usize);
    ///
    /// let squares = MmBox::try_from_fn(4, |index| Square(index * index))?;
    /// assert_eq!(squares[3].0, 9);
    ///
    /// let refused = MmBox::try_from_fn(usize::MAX, Square);
    /// assert!(matches!(refused, Err(AllocError::SizeOverflow { .. })));
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_from_fn(units: usize, make: impl FnMut(usize) -> T) -> Result<Self, AllocError> {
        Ok(UninitBlock::try_new(units)?.fill_with(make))
    }

    /// Makes one block with clones of the values of `source`.
    #[inline]
    #[track_caller]
    pub(super) fn cloned_row(source: &[T]) -> Self
    where
        T: Clone,
    {
        Self::from_fn(source.len(), |index| source[index].clone())
    }
}
