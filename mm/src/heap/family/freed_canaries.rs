//! Canaries: numbers in the released blocks of some families, which show that a block was released.
//!
//! A released block has one canary at its start and one near its end. The number depends on the block's address
//! alone. If a unit has less than 16 bytes, the second canary covers a part of the first, and only the second
//! is whole. Canaries stay until the block is handed out again, zeroed.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::ground::Block;
use crate::os::annotate;

/// Bytes of one canary.
const CANARY: usize = size_of::<u64>();

/// The second canary ends at most this many bytes from the block's start.
const MARKED_BYTES: usize = 64;

/// Mixed with a released block's address. No program writes such numbers by accident. If one does, only its
/// release is slower.
const SALT: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether a family marks its released blocks with canaries, and where.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) enum Marking {
    None,
    /// The second canary is this many bytes from the start.
    Second(u8),
}

impl Marking {
    /// How a family of units of `unit` bytes marks its blocks. It does not if there is no room for a canary, or
    /// if a tool checks the memory, since mm must not read released blocks then.
    #[allow(clippy::cast_possible_truncation, reason = "at most `MARKED_BYTES`")]
    pub(in crate::heap) fn of(unit: usize) -> Self {
        match unit.min(MARKED_BYTES).checked_sub(CANARY) {
            Some(second) if !annotate::is_on() => Self::Second(second as u8),
            _ => Self::None,
        }
    }
}

/// The two canaries of a block.
///
/// # Invariants
///
/// 1. The `CANARY` bytes from each of `places` on are memory of one taken unit.
/// 2. `set` and `clear` are called only while nothing uses the block.
#[derive(Clone, Copy)]
pub(in crate::heap) struct FreedCanaries {
    places: [NonNull<u8>; 2],
    canary: u64,
}

impl Heap {
    /// Makes the heap mark its released blocks. Called at the start, for a family whose program knows only
    /// addresses.
    pub(crate) fn begin_with_canaries(&mut self) {
        annotate::look();
        self.marking = Marking::of(self.geometry.unit());
    }

    /// The canaries of a block at `first`; `None` if the heap does not mark blocks.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit of this heap.
    /// 2. What this returns is set and cleared only while nothing uses the block there.
    #[inline]
    pub(in crate::heap) unsafe fn canaries_of(&self, first: NonNull<u8>) -> Option<FreedCanaries> {
        let Marking::Second(second) = self.marking else {
            return None;
        };
        // SAFETY: requirements 1 and 2 are the first two of `FreedCanaries::of`, and `second` is what the
        // heap's `marking` says.
        Some(unsafe { FreedCanaries::of(first, second) })
    }
}

impl Heap {
    /// Marks a block in VM pages that is released past the caches, since a cache may get its units later.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of this heap, in a VM page.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn mark_released(&self, first: NonNull<u8>) {
        // SAFETY: by requirement 1 a taken unit of this heap starts at `first`, and by requirement 2 nothing
        // uses the block while the canaries are set.
        if let Some(canaries) = unsafe { self.canaries_of(first) } {
            canaries.set();
        }
    }

    /// Clears the canaries of a new block, which is handed out as it is.
    ///
    /// # Safety
    ///
    /// 1. `block` is a new block of this heap, of at least one unit.
    /// 2. Nothing uses it yet.
    pub(crate) unsafe fn clear_canaries(&self, block: Block) {
        // SAFETY: by requirement 1 a taken unit of this heap starts at `block.first`, and by requirement 2 nothing
        // uses it.
        if let Some(canaries) = unsafe { self.canaries_of(block.first) }.filter(|_| !block.zero) {
            canaries.clear();
        }
    }
}

impl FreedCanaries {
    /// The canaries of the block at `first`; the second is `second` bytes from there.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit.
    /// 2. What this returns is set and cleared only while nothing uses the block there.
    /// 3. `second` is what the [`Marking`] of the unit's family says.
    #[inline]
    pub(in crate::heap) unsafe fn of(first: NonNull<u8>, second: u8) -> Self {
        Self {
            // SAFETY: by requirement 3 `second` is at least `CANARY` bytes less than a unit has, and by
            // requirement 1 a unit starts at `first`.
            places: [first, unsafe { first.add(second.into()) }],
            canary: first.addr().get() as u64 ^ SALT,
        }
    }

    /// Whether either is as a release left it.
    #[inline]
    pub(in crate::heap) fn is_any_set(&self) -> bool {
        self.places.iter().any(|place| self.is_at(*place))
    }

    /// Whether either is zero, as in new memory, so that a canary may be lost.
    pub(in crate::heap) fn is_any_zero(&self) -> bool {
        let at = |place: &NonNull<u8>| {
            // SAFETY: by invariant 1 the `CANARY` bytes there are memory of a taken unit. They hold a number:
            // they were zero, or the program wrote them.
            unsafe { place.cast::<u64>().read_unaligned() }
        };
        self.places.iter().any(|place| at(place) == 0)
    }

    #[inline]
    fn is_at(&self, place: NonNull<u8>) -> bool {
        // A single byte first: if the program has just stored a part of the eight bytes, a load of all would
        // wait.
        // SAFETY: by invariant 1 the byte is memory of a taken unit. It holds a number: it was zero, or the
        // program wrote it.
        let first = unsafe { place.read() };
        if first != self.canary.to_ne_bytes()[0] {
            return false;
        }
        // SAFETY: by invariant 1 the `CANARY` bytes there are memory of a taken unit. They hold a number: they
        // were zero, or the program wrote them.
        let found = unsafe { place.cast::<u64>().read_unaligned() };
        found == self.canary
    }

    /// Marks the block, which nothing uses any more.
    #[inline]
    pub(in crate::heap) fn set(&self) {
        self.write(self.canary);
    }

    /// Clears the canaries.
    fn clear(&self) {
        self.write(0);
    }

    #[inline]
    fn write(&self, number: u64) {
        for place in self.places {
            // SAFETY: by invariant 1 the `CANARY` bytes there are memory of a taken unit, and by invariant 2
            // nothing else uses the block now.
            unsafe { place.cast::<u64>().write_unaligned(number) };
        }
    }
}
