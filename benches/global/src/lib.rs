//! Work as programs do it, with whichever global allocator the program has.
//!
//! All rivals run the same compiled code: collections of the standard library, which call `alloc`, `alloc_zeroed`,
//! `realloc` and `dealloc` of the global allocator as in any program.

mod burst;
mod measure;
mod memory;
mod rows;
mod sizes;
mod start;

pub use crate::burst::{BURST, BURST_FIGURES};
pub use crate::measure::measure;
pub use crate::rows::{Load, Row, rows};
pub use crate::start::{START, START_FIGURES};
