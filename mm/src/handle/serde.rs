//! Serialises an [`MmBox`] as its value, and deserialises into a new block.
//!
//! Out of memory, deserialising returns an error and does not end the program.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::uninit_block::UninitBlock;
use super::{Block, MmBox};
use crate::managed::MmManaged;

impl<B: Block + ?Sized + Serialize> Serialize for MmBox<B> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: MmManaged + Deserialize<'de>> Deserialize<'de> for MmBox<T> {
    #[track_caller]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_new(T::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de, T: MmManaged + Deserialize<'de>> Deserialize<'de> for MmBox<[T]> {
    #[track_caller]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::deserialize(deserializer)?;
        let block = UninitBlock::try_new(values.len()).map_err(D::Error::custom)?;
        // SAFETY: `UninitBlock::try_new` made the block with as many units as the vector has values.
        Ok(unsafe { block.fill_from(values) })
    }
}
