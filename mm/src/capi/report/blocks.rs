//! `mm_print_block_usage`: one line for a family, with its blocks and live bytes.

use core::fmt::{self, Display, Formatter};

use crate::capi::families::Family;
use crate::capi::families::mm_instance_;
use crate::shown::Shown;

/// The figures of one line: numbers of blocks, and bytes.
pub(super) struct BlockUsage {
    name: &'static str,
    free: u64,
    live: u64,
    live_bytes: u64,
}

impl BlockUsage {
    pub(super) fn of(family: &'static Family) -> Self {
        let figures = family.heap.figures();
        Self {
            name: family.heap.name(),
            free: figures.all().free_blocks,
            live: figures.live_blocks,
            live_bytes: figures.live_units * family.heap.layout().size() as u64,
        }
    }

    /// Returns the line of buffers. Their family may not exist yet.
    pub(super) fn of_buffers(buffers: Option<&'static Family>) -> Self {
        buffers.map_or_else(Self::empty, Self::of)
    }

    fn empty() -> Self {
        Self {
            name: mm_instance_::buffers_name().to_str().unwrap_or_default(),
            free: 0,
            live: 0,
            live_bytes: 0,
        }
    }
}

impl Display for BlockUsage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            free,
            live,
            live_bytes,
        } = self;
        let (name, all) = (Shown(name), free + live);
        writeln!(
            f,
            "{name:<20}   TBC : {all:<4}    FBC : {free:<4}    OBC : {live:<4} AppMemUsage : {live_bytes}"
        )
    }
}
