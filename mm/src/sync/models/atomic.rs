//! Atomics with the interface and the layout of `core`'s, which are `loom`'s in a model.
//!
//! Each contains one of `core`'s, which has the value of the last step. So an execution starts with the values
//! that were written before it, or with zeroed memory. An atomic of `loom` always starts at 0, so it holds the
//! difference from that value.

use core::sync::atomic::{self as plain, Ordering};

use super::place::{Loaded, Place};

macro_rules! integer {
    ($name:ident, $value:ty) => {
        #[derive(Debug)]
        #[repr(transparent)]
        pub(crate) struct $name(plain::$name);

        // SAFETY: `$name` holds only an atomic integer of `plain`, and zero is a value of that.
        unsafe impl bytemuck::Zeroable for $name {}

        #[allow(dead_code, reason = "the engine needs not all of them of each")]
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_lossless,
            trivial_numeric_casts,
            reason = "values come back to the type that they had"
        )]
        impl $name {
            pub(crate) const fn new(value: $value) -> Self {
                Self(plain::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                match self.place().load(order) {
                    Some(Loaded::Any(value)) => value as $value,
                    Some(Loaded::Own) | None => self.0.load(order),
                }
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.place().store(value as u64, order);
                self.0.store(value, order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                let before = self.place().swap(value as u64, order);
                let plain = self.0.swap(value, order);
                before.map_or(plain, |before| before as $value)
            }

            pub(crate) fn compare_exchange(
                &self,
                known: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let orders = (success, failure);
                let answer = self
                    .place()
                    .compare_exchange(known as u64, new as u64, orders);
                // A read-modify-write finds the newest value, which `core`'s atomic has.
                let plain = self.0.compare_exchange(known, new, success, failure);
                assert!(answer.is_none_or(|answer| answer.is_ok() == plain.is_ok()));
                plain
            }

            fn place(&self) -> Place {
                Place {
                    address: (&raw const self.0).addr(),
                    start: self.0.load(Ordering::Relaxed) as u64,
                }
            }
        }
    };
}

integer!(AtomicU8, u8);
integer!(AtomicU16, u16);
integer!(AtomicU32, u32);
integer!(AtomicU64, u64);
integer!(AtomicUsize, usize);

impl AtomicU64 {
    pub(crate) fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
        let before = self.place().or(bits, order);
        let plain = self.0.fetch_or(bits, order);
        before.unwrap_or(plain)
    }
}

impl AtomicUsize {
    #[allow(clippy::cast_possible_truncation, reason = "as above")]
    pub(crate) fn fetch_add(&self, value: usize, order: Ordering) -> usize {
        let before = self.place().add(value as u64, order);
        let plain = self.0.fetch_add(value, order);
        before.map_or(plain, |before| before as usize)
    }
}

#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct AtomicBool(AtomicU8);

impl AtomicBool {
    pub(crate) const fn new(value: bool) -> Self {
        Self(AtomicU8::new(value as u8))
    }

    pub(crate) fn load(&self, order: Ordering) -> bool {
        self.0.load(order) != 0
    }

    pub(crate) fn store(&self, value: bool, order: Ordering) {
        self.0.store(value.into(), order);
    }
}

#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct AtomicPtr<T>(plain::AtomicPtr<T>);

// SAFETY: `AtomicPtr` holds only an atomic pointer of `plain`, and zero is its null pointer.
unsafe impl<T> bytemuck::Zeroable for AtomicPtr<T> {}

impl<T> AtomicPtr<T> {
    pub(crate) const fn new(to: *mut T) -> Self {
        Self(plain::AtomicPtr::new(to))
    }

    pub(crate) fn load(&self, order: Ordering) -> *mut T {
        match self.place().load(order) {
            Some(Loaded::Any(address)) => pointer(address),
            Some(Loaded::Own) | None => self.0.load(order),
        }
    }

    pub(crate) fn store(&self, to: *mut T, order: Ordering) {
        self.place().store(address(to), order);
        self.0.store(to, order);
    }

    pub(crate) fn swap(&self, to: *mut T, order: Ordering) -> *mut T {
        let before = self.place().swap(address(to), order);
        let plain = self.0.swap(to, order);
        before.map_or(plain, pointer)
    }

    pub(crate) fn compare_exchange(
        &self,
        known: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        let orders = (success, failure);
        let answer = self
            .place()
            .compare_exchange(address(known), address(new), orders);
        // A read-modify-write finds the newest value, which `core`'s atomic has.
        let plain = self.0.compare_exchange(known, new, success, failure);
        assert!(answer.is_none_or(|answer| answer.is_ok() == plain.is_ok()));
        plain
    }

    fn place(&self) -> Place {
        Place {
            address: (&raw const self.0).addr(),
            start: address(self.0.load(Ordering::Relaxed)),
        }
    }
}

fn address<T>(to: *mut T) -> u64 {
    to.expose_provenance() as u64
}

#[allow(clippy::cast_possible_truncation, reason = "it was an address")]
fn pointer<T>(address: u64) -> *mut T {
    core::ptr::with_exposed_provenance_mut(address as usize)
}
