//! A table of items by name that is read without a lock.

use core::fmt;
use core::hash::{BuildHasher, BuildHasherDefault};
use std::hash::DefaultHasher;

use crate::heap::Link;

const BUCKETS: usize = 1_024;

/// An item with a name.
pub(crate) trait Named: 'static {
    /// The name, whole.
    fn name_bytes(&self) -> &[u8];

    /// The item that was added to the bucket before this one.
    fn next_of_bucket(&self) -> &Link<Self>
    where
        Self: Sized;
}

/// Items by hash of their name. They are never removed. One thread at a time may add.
pub(crate) struct ByName<T: 'static> {
    buckets: [Link<T>; BUCKETS],
}

impl<T: Named> ByName<T> {
    pub(crate) const fn new() -> Self {
        Self {
            buckets: [const { Link::none() }; BUCKETS],
        }
    }

    /// The newest item of exactly this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&'static T> {
        let first = self.bucket(name).get();
        core::iter::successors(first, |known| known.next_of_bucket().get())
            .find(|known| known.name_bytes() == name)
    }

    pub(crate) fn add(&self, new: &'static T) {
        let bucket = self.bucket(new.name_bytes());
        new.next_of_bucket().set(bucket.get());
        bucket.set(Some(new));
    }

    fn bucket(&self, name: &[u8]) -> &Link<T> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        let index = hash % BUCKETS as u64;
        &self.buckets[usize::try_from(index).unwrap_or_default()]
    }
}

impl<T> fmt::Debug for ByName<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByName").finish_non_exhaustive()
    }
}
