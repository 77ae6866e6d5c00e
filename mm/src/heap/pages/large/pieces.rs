//! The parts of a block that the kernel moved. Each of them is a mapping of its own, even if it is moved again.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::ground::GRANULE;

/// The most parts of a block that moves. One that doubles at each move has as many after it grew to 32,000 times its
/// length. One that grows more slowly is copied once in as many moves.
pub(super) const MOST: usize = 15;

/// A part of a run: its offset and its bytes, both multiples of the granule.
pub(super) type Part = (usize, usize);

/// Where the parts end that were moved, one behind the other from the start of the run. Behind them is memory that was
/// never moved.
#[derive(Debug)]
pub(super) struct Pieces {
    /// In granules; 0 behind the last one.
    ends: [AtomicU32; MOST],
}

impl Pieces {
    pub(super) const fn none() -> Self {
        Self {
            ends: [const { AtomicU32::new(0) }; MOST],
        }
    }

    pub(super) fn clear(&self) {
        self.ends.iter().for_each(|end| end.store(0, Relaxed));
    }

    /// The parts of the first `bytes` bytes of the run, with the one that was never moved.
    pub(super) fn parts(&self, bytes: usize) -> impl Iterator<Item = Part> + Clone {
        let ends = self
            .ends
            .iter()
            .map(|end| end.load(Relaxed) as usize * GRANULE);
        let moved = ends.take_while(move |end| *end > 0 && *end < bytes);
        let mut start = 0;
        moved.chain([bytes]).map(move |end| {
            let offset = core::mem::replace(&mut start, end);
            (offset, end - offset)
        })
    }

    /// Notes which parts were moved, at most [`MOST`].
    pub(super) fn set(&self, parts: impl Iterator<Item = Part>) {
        self.clear();
        for (end, (offset, bytes)) in self.ends.iter().zip(parts) {
            let granules = u32::try_from((offset + bytes) / GRANULE);
            end.store(granules.expect("fewer granules than addresses"), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_up_to_the_end() {
        let pieces = Pieces::none();
        let parts = |granules| pieces.parts(granules * GRANULE).collect::<Vec<_>>();
        let part = |offset, granules| (offset * GRANULE, granules * GRANULE);
        assert_eq!(parts(4), [part(0, 4)]);
        pieces.set([part(0, 4)].into_iter());
        assert_eq!(parts(8), [part(0, 4), part(4, 4)]);
        assert_eq!((parts(4), parts(3)), (vec![part(0, 4)], vec![part(0, 3)]));
        pieces.set([part(0, 4), part(4, 4)].into_iter());
        assert_eq!(parts(9), [part(0, 4), part(4, 4), part(8, 1)]);
        pieces.clear();
        assert_eq!(parts(9), [part(0, 9)]);
    }
}
