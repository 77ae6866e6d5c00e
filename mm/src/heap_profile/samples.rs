//! Figures for tests.

use super::HeapUsage;
use crate::sampling::Estimate;

/// Makes the figures of a stack with live blocks, after as many that were released at once.
pub(crate) fn usage(blocks: u32, bytes: u32) -> HeapUsage {
    let (blocks, bytes) = (f64::from(blocks), f64::from(bytes));
    HeapUsage {
        samples: 4,
        live_blocks: Estimate::new(blocks, 25.0),
        live_bytes: Estimate::new(bytes, 250_000.0),
        peak_bytes: bytes,
        allocated_blocks: 2.0 * blocks,
        allocated_bytes: 2.0 * bytes,
        temporary_blocks: blocks,
        temporary_bytes: bytes,
    }
}
