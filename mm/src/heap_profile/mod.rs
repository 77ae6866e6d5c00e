//! Who holds the untyped memory: the samples of `sampling`, as plain data.

mod groups;
#[cfg(all(test, any(feature = "json", feature = "pprof")))]
pub(crate) mod samples;

pub use groups::{HeapGroup, HeapGroups};

use core::ops::AddAssign;

use crate::registry;
use crate::sampling::{self, Estimate, Sampled};
use crate::startup;

/// What the stacks allocated that hold the untyped memory of [`Global`](crate::Global), by samples.
///
/// Figures of stacks are estimates: their mean over many runs is the truth, and each has an interval. The live bytes
/// of the whole are exact.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HeapProfile {
    /// The stacks, those with most live bytes first.
    pub stacks: Vec<StackUsage>,
    /// Bytes of live untyped blocks that the program requested. This is exact.
    pub live_bytes: u64,
    /// Live untyped blocks. This is exact.
    pub live_blocks: u64,
    /// The mean number of bytes between two samples that begin now: 0 for none, and 1 if every block is sampled.
    pub sample_interval: u64,
    /// Samples of blocks whose stack is not known: it could not be walked, or there was no room for it.
    pub unknown: HeapUsage,
}

/// What one stack allocated.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StackUsage {
    /// Return addresses, the innermost first; at most 64. The first ones are in mm and in the Rust standard library.
    pub addresses: &'static [usize],
    /// Blocks and bytes.
    pub usage: HeapUsage,
}

/// Blocks and bytes that one or several stacks allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HeapUsage {
    /// Sampled blocks that are live.
    pub samples: u64,
    /// Live blocks.
    pub live_blocks: Estimate,
    /// Bytes of live blocks, as the program requested them.
    pub live_bytes: Estimate,
    /// The live bytes when all sampled untyped memory together was largest.
    pub peak_bytes: f64,
    /// Blocks that were ever allocated.
    pub allocated_blocks: f64,
    /// Bytes that were ever allocated.
    pub allocated_bytes: f64,
    /// Blocks that were released before the next allocation of their thread, or within a millisecond.
    pub temporary_blocks: f64,
    /// Bytes of such blocks.
    pub temporary_bytes: f64,
}

/// Returns who allocated the untyped memory of [`Global`](crate::Global), by samples of stacks.
///
/// The profile is empty unless `Global` is the program's global allocator, on Linux on x86-64 or aarch64, with the
/// feature `sampling`.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static HEAP: mm::Global = mm::Global::new();
///
/// let cache: Vec<Box<[u8; 4096]>> = (0..1_000).map(|_| Box::new([0; 4096])).collect();
/// let profile = mm::heap_profile();
/// assert!(profile.live_bytes >= 1_000 * 4096);
/// let of_stacks: f64 = profile.stacks.iter().map(|stack| stack.usage.live_bytes.value()).sum();
/// let all = of_stacks + profile.unattributed_bytes();
/// assert!((all - profile.live_bytes as f64).abs() < 1.0);
/// # drop(cache);
/// ```
#[must_use]
pub fn heap_profile() -> HeapProfile {
    startup::begin();
    let snapshot = registry::snapshot();
    let mut profile = HeapProfile {
        live_bytes: snapshot.untyped().map(|class| class.requested_bytes).sum(),
        live_blocks: snapshot.untyped().map(|class| class.live_blocks).sum(),
        sample_interval: sampling::interval().into(),
        ..HeapProfile::default()
    };
    sampling::for_each_stack(|addresses, sampled| {
        let usage = HeapUsage::of(&sampled);
        if addresses.is_empty() {
            profile.unknown = usage;
        } else {
            profile.stacks.push(StackUsage { addresses, usage });
        }
    });
    let live = |stack: &StackUsage| stack.usage.live_bytes.value();
    profile
        .stacks
        .sort_by(|one, other| live(other).total_cmp(&live(one)));
    profile
}

impl HeapProfile {
    /// Returns the estimate of the live bytes of all stacks together.
    #[must_use]
    pub fn attributed_bytes(&self) -> Estimate {
        self.stacks.iter().map(|stack| stack.usage.live_bytes).sum()
    }

    /// Returns the live bytes that no stack stands for, so that with them the sum of all stacks is
    /// [`live_bytes`](Self::live_bytes).
    ///
    /// It is negative if the samples stand for more than there is, by chance.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "beside estimates")]
    pub fn unattributed_bytes(&self) -> f64 {
        self.live_bytes as f64 - self.attributed_bytes().value()
    }
}

impl HeapUsage {
    fn of(sampled: &Sampled) -> Self {
        let (allocated, temporary) = (sampled.allocated, sampled.temporary);
        Self {
            samples: sampled.samples,
            live_blocks: sampled.live.blocks(),
            live_bytes: sampled.live.bytes(),
            peak_bytes: sampled.peak.bytes().value(),
            allocated_blocks: allocated.blocks().value(),
            allocated_bytes: allocated.bytes().value(),
            temporary_blocks: temporary.blocks().value(),
            temporary_bytes: temporary.bytes().value(),
        }
    }
}

impl AddAssign for HeapUsage {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.live_blocks += other.live_blocks;
        self.live_bytes += other.live_bytes;
        self.peak_bytes += other.peak_bytes;
        self.allocated_blocks += other.allocated_blocks;
        self.allocated_bytes += other.allocated_bytes;
        self.temporary_blocks += other.temporary_blocks;
        self.temporary_bytes += other.temporary_bytes;
    }
}
