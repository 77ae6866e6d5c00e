//! Traits that [`MmBox`] implements if its value does.

use core::borrow::{Borrow, BorrowMut};
use core::cmp::Ordering;
use core::error::Error;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{Block, MmBox};
use crate::managed::MmManaged;

impl<T: MmManaged + Clone> Clone for MmBox<T> {
    #[inline]
    #[track_caller]
    fn clone(&self) -> Self {
        Self::cloned(self)
    }

    /// Clones into the existing block, without an allocation.
    #[inline]
    fn clone_from(&mut self, source: &Self) {
        (**self).clone_from(source);
    }
}

impl<T: MmManaged + Default> Default for MmBox<T> {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<B: Block + ?Sized + fmt::Display> fmt::Display for MmBox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<B: Block + ?Sized> fmt::Pointer for MmBox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&Self::as_ptr(self), f)
    }
}

impl<B: Block + ?Sized + PartialEq> PartialEq for MmBox<B> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<B: Block + ?Sized + Eq> Eq for MmBox<B> {}

impl<B: Block + ?Sized + PartialOrd> PartialOrd for MmBox<B> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<B: Block + ?Sized + Ord> Ord for MmBox<B> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<B: Block + ?Sized + Hash> Hash for MmBox<B> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// Calls the same method of the value, so that its overrides take effect.
macro_rules! pass_on_writes {
    ($($method:ident($number:ty))+) => {$(
        #[inline]
        fn $method(&mut self, number: $number) {
            (**self).$method(number);
        }
    )+};
}

impl<T: MmManaged + Hasher> Hasher for MmBox<T> {
    #[inline]
    fn finish(&self) -> u64 {
        (**self).finish()
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        (**self).write(bytes);
    }

    pass_on_writes! {
        write_u8(u8) write_u16(u16) write_u32(u32) write_u64(u64) write_u128(u128)
        write_usize(usize)
        write_i8(i8) write_i16(i16) write_i32(i32) write_i64(i64) write_i128(i128)
        write_isize(isize)
    }
}

impl<B: Block + ?Sized> AsRef<B> for MmBox<B> {
    #[inline]
    fn as_ref(&self) -> &B {
        self
    }
}

impl<B: Block + ?Sized> AsMut<B> for MmBox<B> {
    #[inline]
    fn as_mut(&mut self) -> &mut B {
        self
    }
}

impl<B: Block + ?Sized> Borrow<B> for MmBox<B> {
    #[inline]
    fn borrow(&self) -> &B {
        self
    }
}

impl<B: Block + ?Sized> BorrowMut<B> for MmBox<B> {
    #[inline]
    fn borrow_mut(&mut self) -> &mut B {
        self
    }
}

impl<F: MmManaged + Future + Unpin> Future for MmBox<F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut **self).poll(cx)
    }
}

impl<E: MmManaged + Error> Error for MmBox<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        (**self).source()
    }
}

// SAFETY: `MmBox<T>` is transparent over `NonNull<T>` with `T: Sized`, whose `None` is the null
// pointer, all bytes zero.
unsafe impl<T: MmManaged> bytemuck::ZeroableInOption for MmBox<T> {}
