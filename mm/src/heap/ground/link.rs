//! A shared, settable reference to something that lives as long as the process.

use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Acquire, Release};
use core::{fmt, ptr};

use crate::sync::AtomicPtr;

/// An `Option<&'static T>` that can be set through a shared reference.
///
/// # Invariants
///
/// 1. The pointer is null or was made from a `&'static T`.
pub(crate) struct Link<T: 'static> {
    to: AtomicPtr<T>,
    /// Makes the link `Send` and `Sync` exactly if `T` is `Sync`, as the reference is that it stands for.
    as_reference: PhantomData<&'static T>,
}

// SAFETY: the field is an atomic pointer. Zero is null, which invariant 1 allows.
unsafe impl<T> bytemuck::Zeroable for Link<T> {}

impl<T> Link<T> {
    pub(crate) const fn none() -> Self {
        Self {
            to: AtomicPtr::new(ptr::null_mut()),
            as_reference: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: invariant 1; the reference was valid when stored, and is so for ever.
        unsafe { self.to.load(Acquire).as_ref() }
    }

    #[inline]
    pub(crate) fn set(&self, to: Option<&'static T>) {
        self.to.store(pointer(to), Release);
    }
}

fn pointer<T>(to: Option<&'static T>) -> *mut T {
    to.map_or(ptr::null_mut(), |to| ptr::from_ref(to).cast_mut())
}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the address, since links may form a ring.
        fmt::Pointer::fmt(&self.to.load(Acquire), f)
    }
}
