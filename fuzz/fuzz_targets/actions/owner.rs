//! The owner of a block, whatever its type.

use std::ptr::NonNull;

use bytemuck::Pod;
use mm::{MmBox, MmManaged, PageFamily};

/// Owns one live block; dropping it releases the block.
pub trait Owner: Send {
    fn bytes(&mut self) -> &mut [u8];

    /// Takes the values out, and requires that all their bytes are `fill`.
    fn consume(self: Box<Self>, fill: u8);

    /// Returns the address of the block, and leaves the block to the caller.
    fn into_raw(self: Box<Self>) -> NonNull<u8>;
}

impl<T: MmManaged + Pod + Send> Owner for MmBox<T> {
    fn bytes(&mut self) -> &mut [u8] {
        bytemuck::bytes_of_mut(&mut **self)
    }

    fn consume(self: Box<Self>, fill: u8) {
        let value = MmBox::into_inner(*self);
        assert!(is_filled(bytemuck::bytes_of(&value), fill), "contents kept");
    }

    fn into_raw(self: Box<Self>) -> NonNull<u8> {
        NonNull::from(MmBox::leak(*self)).cast()
    }
}

impl<T: MmManaged + Pod + Send> Owner for MmBox<[T]> {
    fn bytes(&mut self) -> &mut [u8] {
        if size_of::<T>() == 0 {
            return &mut [];
        }
        bytemuck::cast_slice_mut(self)
    }

    fn consume(self: Box<Self>, fill: u8) {
        for value in *self {
            assert!(is_filled(bytemuck::bytes_of(&value), fill), "contents kept");
        }
    }

    fn into_raw(self: Box<Self>) -> NonNull<u8> {
        NonNull::from(MmBox::leak(*self)).cast()
    }
}

/// Owns a block that a family handed out as an address.
pub struct RawBlock {
    family: &'static PageFamily,
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: no other value uses the block, and any thread may release it.
unsafe impl Send for RawBlock {}

impl RawBlock {
    /// # Safety
    ///
    /// `start` is a live block of `units` units of `family`, all its bytes are initialized, and no other code
    /// uses or releases it.
    pub unsafe fn own(family: &'static PageFamily, start: NonNull<u8>, units: usize) -> Self {
        let bytes = units * family.layout().size();
        Self {
            family,
            start,
            bytes,
        }
    }
}

impl Owner for RawBlock {
    fn bytes(&mut self) -> &mut [u8] {
        let mut bytes = NonNull::slice_from_raw_parts(self.start, self.bytes);
        // SAFETY: by the requirement of `own` the block is live, has `bytes` initialized bytes, and no other
        // code uses it.
        unsafe { bytes.as_mut() }
    }

    fn consume(mut self: Box<Self>, fill: u8) {
        assert!(is_filled(self.bytes(), fill), "contents kept");
    }

    fn into_raw(self: Box<Self>) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(*self).start
    }
}

impl Drop for RawBlock {
    fn drop(&mut self) {
        // SAFETY: by the requirement of `own` the block is live, and only this value uses it.
        let answer = unsafe { self.family.release(self.start) };
        answer.expect("a live block can be released");
    }
}

pub fn is_filled(bytes: &[u8], fill: u8) -> bool {
    bytes.iter().all(|byte| *byte == fill)
}
