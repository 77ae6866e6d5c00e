//! The types of the allocated values.

use mm::MmManaged;

use crate::contract::Value;

/// The value of most rows: 36 bytes, which is not a size class of any allocator.
#[derive(MmManaged)]
pub(crate) struct Plain(pub(crate) [u32; 9]);

/// A value of 16 bytes.
#[derive(MmManaged)]
#[expect(dead_code, reason = "no workload reads it")]
pub(crate) struct Small([u32; 4]);

/// A value of 256 bytes.
#[derive(MmManaged)]
#[expect(dead_code, reason = "no workload reads it")]
pub(crate) struct Large([u32; 64]);

impl Value for Plain {
    #[inline]
    fn of(number: u32) -> Self {
        Self([number; 9])
    }
}

impl Value for Small {
    #[inline]
    fn of(number: u32) -> Self {
        Self([number; 4])
    }
}

impl Value for Large {
    #[inline]
    fn of(number: u32) -> Self {
        Self([number; 64])
    }
}
