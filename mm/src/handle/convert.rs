//! From the owners of the standard library to an [`MmBox`], and back.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use super::uninit_block::UninitBlock;
use super::{Block, MmBox};
use crate::managed::MmManaged;

impl<T: MmManaged> From<T> for MmBox<T> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: MmManaged> From<Box<T>> for MmBox<T> {
    #[inline]
    #[track_caller]
    fn from(value: Box<T>) -> Self {
        Self::new(*value)
    }
}

impl<T: MmManaged> From<Vec<T>> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: Vec<T>) -> Self {
        let block = UninitBlock::new(values.len());
        // SAFETY: `UninitBlock::new` made the block with as many units as the vector has values.
        unsafe { block.fill_from(values) }
    }
}

impl<T: MmManaged> From<Box<[T]>> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: Box<[T]>) -> Self {
        values.into_vec().into()
    }
}

impl<T: MmManaged, const N: usize> From<[T; N]> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: [T; N]) -> Self {
        let block = UninitBlock::new(N);
        // SAFETY: `UninitBlock::new` made the block with `N` units, aligned as an array of them is. None has a
        // value yet.
        unsafe { block.first().cast().write(values) };
        // SAFETY: `write` just moved the array into the units, every one of them.
        unsafe { block.assume_init() }
    }
}

impl<T: MmManaged + Clone> From<&[T]> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: &[T]) -> Self {
        Self::cloned_row(values)
    }
}

impl<T: MmManaged + Clone> From<&mut [T]> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: &mut [T]) -> Self {
        Self::cloned_row(values)
    }
}

impl<T: MmManaged + Clone> From<Cow<'_, [T]>> for MmBox<[T]> {
    #[inline]
    #[track_caller]
    fn from(values: Cow<'_, [T]>) -> Self {
        match values {
            Cow::Borrowed(values) => values.into(),
            Cow::Owned(values) => values.into(),
        }
    }
}

impl<B: Block + ?Sized> From<MmBox<B>> for Pin<MmBox<B>> {
    #[inline]
    fn from(block: MmBox<B>) -> Self {
        MmBox::into_pin(block)
    }
}

impl<T: MmManaged> From<MmBox<[T]>> for Vec<T> {
    #[inline]
    fn from(values: MmBox<[T]>) -> Self {
        values.into_iter().collect()
    }
}

impl<T: MmManaged> From<MmBox<[T]>> for Box<[T]> {
    #[inline]
    fn from(values: MmBox<[T]>) -> Self {
        MmBox::into_box(values)
    }
}

impl<T: MmManaged> From<MmBox<[T]>> for Rc<[T]> {
    #[inline]
    fn from(values: MmBox<[T]>) -> Self {
        Vec::from(values).into()
    }
}

impl<T: MmManaged> From<MmBox<[T]>> for Arc<[T]> {
    #[inline]
    fn from(values: MmBox<[T]>) -> Self {
        Vec::from(values).into()
    }
}

impl<T: MmManaged> From<MmBox<T>> for Rc<T> {
    #[inline]
    fn from(value: MmBox<T>) -> Self {
        Self::new(MmBox::into_inner(value))
    }
}

impl<T: MmManaged> From<MmBox<T>> for Arc<T> {
    #[inline]
    fn from(value: MmBox<T>) -> Self {
        Self::new(MmBox::into_inner(value))
    }
}
