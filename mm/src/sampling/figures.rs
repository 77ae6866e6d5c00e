//! What is known of the blocks that one stack allocated.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::estimate::Weight;

/// Estimated bytes of all sampled live blocks; the most that were; and how often that rose.
static LIVE: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
static RISES: AtomicU64 = AtomicU64::new(0);

/// The figures of one stack. A lock of `stacks` guards them.
#[derive(Debug)]
pub(super) struct Figures {
    live: [AtomicU64; 4],
    samples: AtomicU64,
    allocated_blocks: AtomicU64,
    allocated_bytes: AtomicU64,
    temporary_blocks: AtomicU64,
    temporary_bytes: AtomicU64,
    /// The live bytes when `RISES` got the value `at_rise`; later ones are the current ones.
    at_peak: AtomicU64,
    at_rise: AtomicU64,
}

/// A copy of the figures of one stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sampled {
    pub(crate) live: Weight,
    /// Sampled blocks that are live.
    pub(crate) samples: u64,
    pub(crate) allocated: Weight,
    pub(crate) temporary: Weight,
    /// Live bytes when all of them together were most.
    pub(crate) peak: Weight,
}

impl Figures {
    pub(super) const fn new() -> Self {
        Self {
            live: [const { AtomicU64::new(0) }; 4],
            samples: AtomicU64::new(0),
            allocated_blocks: AtomicU64::new(0),
            allocated_bytes: AtomicU64::new(0),
            temporary_blocks: AtomicU64::new(0),
            temporary_bytes: AtomicU64::new(0),
            at_peak: AtomicU64::new(0),
            at_rise: AtomicU64::new(0),
        }
    }

    /// Counts a new block.
    pub(super) fn account_allocated(&self, weight: Weight) {
        self.account_live(weight, u64::wrapping_add);
        add(&self.samples, 1);
        add(&self.allocated_blocks, weight.blocks);
        add(&self.allocated_bytes, weight.bytes);
        let live = LIVE
            .fetch_add(weight.bytes, Relaxed)
            .wrapping_add(weight.bytes);
        if live > PEAK.load(Relaxed) {
            PEAK.store(live, Relaxed);
            RISES.fetch_add(1, Relaxed);
        }
    }

    /// Counts the release of a block.
    pub(super) fn account_released(&self, weight: Weight, is_temporary: bool) {
        self.account_live(weight, u64::wrapping_sub);
        add(&self.samples, u64::MAX);
        if is_temporary {
            add(&self.temporary_blocks, weight.blocks);
            add(&self.temporary_bytes, weight.bytes);
        }
        LIVE.fetch_sub(weight.bytes, Relaxed);
    }

    /// Counts that a block stands for other numbers than before.
    pub(super) fn account_resized(&self, before: Weight, after: Weight) {
        self.account_live(before, u64::wrapping_sub);
        self.account_live(after, u64::wrapping_add);
        LIVE.fetch_add(after.bytes.wrapping_sub(before.bytes), Relaxed);
    }

    fn account_live(&self, weight: Weight, change: fn(u64, u64) -> u64) {
        let rises = RISES.load(Relaxed);
        if self.at_rise.load(Relaxed) != rises {
            // Nothing changed since the peak rose, so this is what was live then.
            self.at_peak.store(self.live[1].load(Relaxed), Relaxed);
            self.at_rise.store(rises, Relaxed);
        }
        let numbers = [
            weight.blocks,
            weight.bytes,
            weight.blocks_variance,
            weight.bytes_variance,
        ];
        for (sum, number) in self.live.iter().zip(numbers) {
            sum.store(change(sum.load(Relaxed), number), Relaxed);
        }
    }

    /// Copies the figures.
    pub(super) fn copy(&self) -> Sampled {
        let [blocks, bytes, blocks_variance, bytes_variance] =
            [0, 1, 2, 3].map(|number: usize| self.live[number].load(Relaxed));
        let weight = |blocks: &AtomicU64, bytes: &AtomicU64| Weight {
            blocks: blocks.load(Relaxed),
            bytes: bytes.load(Relaxed),
            ..Weight::default()
        };
        let is_current = self.at_rise.load(Relaxed) != RISES.load(Relaxed);
        Sampled {
            live: Weight {
                blocks,
                bytes,
                blocks_variance,
                bytes_variance,
            },
            samples: self.samples.load(Relaxed),
            allocated: weight(&self.allocated_blocks, &self.allocated_bytes),
            temporary: weight(&self.temporary_blocks, &self.temporary_bytes),
            peak: Weight {
                bytes: if is_current {
                    bytes
                } else {
                    self.at_peak.load(Relaxed)
                },
                ..Weight::default()
            },
        }
    }
}

/// Adds to a number that only the holder of a lock changes; wraps.
fn add(number: &AtomicU64, more: u64) {
    number.store(number.load(Relaxed).wrapping_add(more), Relaxed);
}
