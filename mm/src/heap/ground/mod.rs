//! The ground of the engine: sizes, blocks, links, lists, and memory for records.

mod block;
mod geometry;
pub(crate) mod hardening;
pub(crate) mod heap_limit;
mod heap_ref;
pub(in crate::heap) mod huge;
mod link;
mod list;
pub(in crate::heap) mod meta;
mod random;

pub(crate) use block::{Block, BlockView, Refusal, Shortage};
pub(in crate::heap) use block::{EMPTY_BLOCK, Row};
pub(crate) use geometry::is_paged;
pub(in crate::heap) use geometry::{EXTENT, GRANULE, Geometry, LONG_ROW, LONGEST_ROW, Placement};
pub(in crate::heap) use heap_ref::HeapRef;
pub use huge::HugePages;
pub(crate) use link::Link;
pub(in crate::heap) use list::{List, Neighbours, Node};
pub(crate) use meta::{RECORDS, SPARSE};
pub(in crate::heap) use random::Random;
