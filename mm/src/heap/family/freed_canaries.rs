//! What stands in released blocks of families that keep marks, and says that they were released.
//!
//! A released block has the mark at its start, and once more near its end: a number that depends on its
//! address alone. Where a unit has less than 16 bytes the second mark covers a part of the first, and
//! only the second is whole. It stays until the block is handed out again, zeroed.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::ground::Block;
use crate::os::annotate;

/// Bytes of one mark.
const MARK: usize = size_of::<u64>();

/// The second mark ends within so many bytes of the block's start.
const MARKED: usize = 64;

/// What a released block's address is mixed with. No program writes such numbers by accident, and
/// one that does only makes its release slower.
const SALT: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether a family marks its released blocks, and where.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) enum Marking {
    None,
    /// With the second mark so many bytes from the start.
    Second(u8),
}

impl Marking {
    /// How a family of units of `unit` bytes marks its blocks. Where there is no room for a mark, it
    /// does not; nor if somebody watches, who wants no look at what was released.
    #[allow(clippy::cast_possible_truncation, reason = "at most `MARKED`")]
    pub(in crate::heap) fn of(unit: usize) -> Self {
        match unit.min(MARKED).checked_sub(MARK) {
            Some(second) if !annotate::is_on() => Self::Second(second as u8),
            _ => Self::None,
        }
    }
}

/// The two marks of a block.
#[derive(Clone, Copy)]
pub(in crate::heap) struct FreedCanaries {
    places: [NonNull<u8>; 2],
    mark: u64,
}

impl Heap {
    /// Says at the start that released blocks are marked, of a family of which programs know only
    /// addresses.
    pub(crate) fn begin_with_canaries(&mut self) {
        annotate::look();
        self.marking = Marking::of(self.geometry.unit());
    }

    /// The marks of a block at `first`; none if the heap keeps no marks.
    ///
    /// # Safety
    ///
    /// `first` is the start of a taken unit of this heap, which may be read, and written once nobody
    /// uses it.
    #[inline]
    pub(in crate::heap) unsafe fn canaries_of(&self, first: NonNull<u8>) -> Option<FreedCanaries> {
        let Marking::Second(second) = self.marking else {
            return None;
        };
        // SAFETY: the caller promises it.
        Some(unsafe { FreedCanaries::of(first, second) })
    }
}

impl Heap {
    /// Marks a block of VM pages that is released past the caches: a cache may have its units later.
    ///
    /// # Safety
    ///
    /// `first` is the start of a live block of this heap, in a VM page, that nobody uses.
    pub(in crate::heap) unsafe fn mark_released(&self, first: NonNull<u8>) {
        // SAFETY: the caller promises it.
        if let Some(marks) = unsafe { self.canaries_of(first) } {
            marks.set();
        }
    }

    /// Takes off what marks are in a new block of at least one unit, which is handed out as it is.
    pub(crate) fn clear_canaries(&self, block: Block) {
        // SAFETY: the block is new, and nobody else has it.
        if let Some(marks) = unsafe { self.canaries_of(block.first) }.filter(|_| !block.zero) {
            marks.clear();
        }
    }
}

impl FreedCanaries {
    /// Those of the block at `first`, the second of them `second` bytes from there.
    ///
    /// # Safety
    ///
    /// As for [`Heap::canaries_of`], and `second` is what the family's [`Marking`] says.
    #[inline]
    pub(in crate::heap) unsafe fn of(first: NonNull<u8>, second: u8) -> Self {
        Self {
            // SAFETY: the second mark lies within the first unit of the block.
            places: [first, unsafe { first.add(second.into()) }],
            mark: first.addr().get() as u64 ^ SALT,
        }
    }

    /// Whether either is as a release left it.
    #[inline]
    pub(in crate::heap) fn is_any_set(&self) -> bool {
        self.places.iter().any(|place| self.is_at(*place))
    }

    /// Whether either is as new memory is, and so may be gone.
    pub(in crate::heap) fn is_any_zero(&self) -> bool {
        let mark = |place: &NonNull<u8>| {
            // SAFETY: as in `is_at`, and the block has as many bytes there.
            unsafe { place.cast::<u64>().read_unaligned() }
        };
        self.places.iter().any(|place| mark(place) == 0)
    }

    #[inline]
    fn is_at(&self, place: NonNull<u8>) -> bool {
        // A byte first: a CPU that has just stored a part of what it loads has to wait.
        // SAFETY: whoever made the marks promised that the memory may be read. Whatever is there is
        // a number: it was zero, or the program wrote it.
        let first = unsafe { place.read() };
        if first != self.mark.to_ne_bytes()[0] {
            return false;
        }
        // SAFETY: as above, and the block has as many bytes there.
        let found = unsafe { place.cast::<u64>().read_unaligned() };
        found == self.mark
    }

    /// Marks the block, which nobody uses any more.
    #[inline]
    pub(in crate::heap) fn set(&self) {
        self.write(self.mark);
    }

    /// Takes the marks off.
    fn clear(&self) {
        self.write(0);
    }

    #[inline]
    fn write(&self, mark: u64) {
        for place in self.places {
            // SAFETY: the block is as long as that, and the caller knows that nobody uses it.
            unsafe { place.cast::<u64>().write_unaligned(mark) };
        }
    }
}
