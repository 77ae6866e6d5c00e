//! Size classes: which unit serves a layout. Safe arithmetic, no state.
//!
//! Units of up to 64 bytes are 8 bytes apart, up to 128 bytes 16; above that there are eight to each doubling. So a
//! block of more than 128 bytes wastes less than an eighth, a smaller one at most 15 bytes.

use core::alloc::Layout;

/// Bytes of the largest class. Larger blocks have address space of their own.
pub(super) const LARGEST: usize = 64 << 10;

/// Classes up to 64 bytes, and up to 128 bytes.
const STEPS_OF_8: usize = 8;
const STEPS: usize = STEPS_OF_8 + 4;

/// Size classes.
pub(super) const CLASSES: usize = STEPS + 9 * 8;

/// The alignment that every class has whose unit is a multiple of it.
const COMMON_ALIGN: usize = 16;

/// The largest size whose class stands in a table.
const TABLED: usize = 1_024;

/// A size class.
///
/// # Invariants
///
/// 1. The number is less than `CLASSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    /// Returns the class of a layout, or `None` if it is for a large block.
    ///
    /// The unit of the class is a multiple of the alignment: sizes with a common alignment are rounded up to a
    /// multiple of it, and larger alignments get a power of two.
    #[allow(clippy::inline_always, reason = "a part of the hot path")]
    #[inline(always)]
    pub(super) const fn of(layout: Layout) -> Option<Self> {
        let (size, align) = (layout.size(), layout.align());
        if align <= 8 {
            return Self::of_size(size);
        }
        Self::of_aligned(size, align)
    }

    /// Does what [`of`](Self::of) does, for an alignment above that of all units.
    const fn of_aligned(size: usize, align: usize) -> Option<Self> {
        if align <= COMMON_ALIGN {
            return Self::of_size((size + COMMON_ALIGN - 1) & !(COMMON_ALIGN - 1));
        }
        if size > LARGEST || align > LARGEST {
            return None;
        }
        let size = if size < align { align } else { size };
        Self::of_size(size.next_power_of_two())
    }

    /// Returns the class of a size; that of size 0 is the first.
    #[allow(clippy::inline_always, reason = "a part of the hot path")]
    #[inline(always)]
    const fn of_size(size: usize) -> Option<Self> {
        if size <= TABLED {
            return Some(Self(OF_EIGHTS[size.div_ceil(8)]));
        }
        if size > LARGEST {
            return None;
        }
        Some(Self(computed(size)))
    }

    /// Returns the number of the class.
    #[allow(clippy::inline_always, reason = "a part of the hot path")]
    #[inline(always)]
    pub(super) const fn number(self) -> usize {
        // SAFETY: by invariant 1 the number is less than `CLASSES`.
        unsafe { core::hint::assert_unchecked((self.0 as usize) < CLASSES) };
        self.0 as usize
    }

    /// Returns the bytes of a unit of the class.
    #[allow(clippy::inline_always, reason = "a part of the hot path")]
    #[inline(always)]
    pub(super) fn unit(self) -> usize {
        UNITS[self.number()] as usize
    }
}

/// The classes of sizes up to [`TABLED`], by their eighths, rounded up.
static OF_EIGHTS: [u8; TABLED / 8 + 1] = {
    let mut classes = [0; TABLED / 8 + 1];
    let mut eighths = 1;
    while eighths < classes.len() {
        classes[eighths] = computed(eighths * 8);
        eighths += 1;
    }
    classes
};

/// The bytes of a unit by class.
#[allow(clippy::cast_possible_truncation, reason = "units are at most 64 KiB")]
static UNITS: [u32; CLASSES] = {
    let mut units = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        units[class] = unit(class) as u32;
        class += 1;
    }
    units
};

/// Computes the class of a size from 1 to `LARGEST`. It is less than `CLASSES`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "there are fewer than 256 classes"
)]
const fn computed(size: usize) -> u8 {
    let last = size - 1;
    let class = if size <= 64 {
        last / 8
    } else if size <= 128 {
        STEPS_OF_8 + (last - 64) / 16
    } else {
        let doubling = last.ilog2() as usize;
        STEPS + (doubling - 7) * 8 + ((last >> (doubling - 3)) & 7)
    };
    class as u8
}

/// Returns the bytes of a unit of a class.
pub(super) const fn unit(class: usize) -> usize {
    if class < STEPS_OF_8 {
        return (class + 1) * 8;
    }
    if class < STEPS {
        return 64 + (class - STEPS_OF_8 + 1) * 16;
    }
    let (doubling, eighth) = ((class - STEPS) / 8, (class - STEPS) % 8);
    (9 + eighth) << (doubling + 4)
}

/// Returns the layout of a unit of a class: aligned to the largest power of two that divides its size.
pub(super) const fn layout(class: usize) -> Layout {
    let unit = unit(class);
    match Layout::from_size_align(unit, 1 << unit.trailing_zeros()) {
        Ok(layout) => layout,
        Err(_) => panic!("a power of two that divides the size"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(size: usize, align: usize) -> Option<Class> {
        Class::of(Layout::from_size_align(size, align).expect("a layout"))
    }

    #[test]
    fn each_size_has_the_smallest_class_that_fits() {
        for size in 1..=LARGEST {
            let class = class_of(size, 1).expect("a class").number();
            assert!(unit(class) >= size, "{size}");
            assert!(class == 0 || unit(class - 1) < size, "{size}");
        }
        assert_eq!(unit(CLASSES - 1), LARGEST);
    }

    #[test]
    fn little_is_wasted() {
        for size in 1..=LARGEST {
            let waste = class_of(size, 1).expect("a class").unit() - size;
            let most = if size > 128 { size / 8 } else { 15 };
            assert!(waste <= most, "{size}: {waste}");
        }
    }

    #[test]
    fn units_are_aligned() {
        for align in (0..=16).map(|shift| 1 << shift) {
            for size in (1..2_000).chain([4_095, 4_096, 40_000, LARGEST]) {
                let class = class_of(size, align).expect("a class");
                assert!(class.unit() >= size);
                assert_eq!(class.unit() % align, 0, "{size} at {align}");
                assert!(layout(class.number()).align() >= align);
            }
        }
    }

    #[test]
    fn other_layouts_have_none() {
        for (size, align) in [(LARGEST + 1, 1), (1, 2 * LARGEST), (LARGEST - 1, 1 << 30)] {
            assert_eq!(class_of(size, align), None);
        }
        let most = isize::MAX as usize;
        assert_eq!(class_of(most & !15, 16), None);
        assert_eq!(class_of(most & !4_095, 4_096), None);
    }
}
