//! One line for a family: how many blocks it has, and how many bytes the program has of it.

use core::fmt::{self, Display, Formatter};

use crate::capi::families::Family;
use crate::capi::families::mm_instance_;
use crate::shown::Shown;

/// What one line says: numbers of blocks, and bytes.
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

    /// The line of buffers; there may not be any family of them yet.
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
