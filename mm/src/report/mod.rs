//! Writes snapshots as text to [`fmt::Write`](core::fmt::Write), without allocation.
//!
//! A report must work when no memory is left, so nothing here builds a `String` or a `Vec`. A table is
//! formatted twice, first to measure the widths of its columns; [`rank`] sorts the rows. No report ends
//! with a line feed: `println!` and loggers add theirs.
//!
//! All sums are `u128`, so no number of `u64` figures can overflow them.

mod block_usage;
mod cell;
mod diff;
mod growth;
mod heap_groups;
mod memory_usage;
mod name;
mod page_families;
mod process_line;
mod rank;
mod suggestions;
mod table;
mod whole;

#[cfg(test)]
mod tests;

pub use self::block_usage::BlockUsage;
pub use self::memory_usage::MemoryUsage;
pub use self::page_families::PageFamilies;
