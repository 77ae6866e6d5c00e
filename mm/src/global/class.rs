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

/// Returns the class of a layout, or `None` if it is for a large block.
///
/// The unit of the class is a multiple of the alignment: sizes with a common alignment are rounded up to a multiple
/// of it, and larger alignments get a power of two.
#[inline]
pub(super) const fn class_of(layout: Layout) -> Option<usize> {
    let (size, align) = (layout.size(), layout.align());
    let size = if align <= 8 {
        size
    } else if align <= COMMON_ALIGN {
        (size + COMMON_ALIGN - 1) & !(COMMON_ALIGN - 1)
    } else if size <= LARGEST && align <= LARGEST {
        let size = if size < align { align } else { size };
        size.next_power_of_two()
    } else {
        return None;
    };
    if size > LARGEST {
        return None;
    }
    Some(class_of_size(size))
}

/// Returns the class of a size from 1 to `LARGEST`; that of size 0 is the first.
#[inline]
const fn class_of_size(size: usize) -> usize {
    let last = size.saturating_sub(1);
    if size <= 64 {
        last / 8
    } else if size <= 128 {
        STEPS_OF_8 + (last - 64) / 16
    } else {
        let doubling = last.ilog2() as usize;
        STEPS + (doubling - 7) * 8 + ((last >> (doubling - 3)) & 7)
    }
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

    #[test]
    fn each_size_has_the_smallest_class_that_fits() {
        for size in 1..=LARGEST {
            let class = class_of_size(size);
            assert!(unit(class) >= size, "{size}");
            assert!(class == 0 || unit(class - 1) < size, "{size}");
        }
        assert_eq!(unit(CLASSES - 1), LARGEST);
    }

    #[test]
    fn little_is_wasted() {
        for size in 1..=LARGEST {
            let waste = unit(class_of_size(size)) - size;
            let most = if size > 128 { size / 8 } else { 15 };
            assert!(waste <= most, "{size}: {waste}");
        }
    }

    #[test]
    fn units_are_aligned() {
        for align in (0..=16).map(|shift| 1 << shift) {
            for size in (1..2_000).chain([4_095, 4_096, 40_000, LARGEST]) {
                let class = class_of(Layout::from_size_align(size, align).expect("small"));
                let class = class.expect("a class");
                assert!(unit(class) >= size);
                assert_eq!(unit(class) % align, 0, "{size} at {align}");
                assert!(layout(class).align() >= align);
            }
        }
    }

    #[test]
    fn other_layouts_have_none() {
        for (size, align) in [(LARGEST + 1, 1), (1, 2 * LARGEST), (LARGEST - 1, 1 << 30)] {
            let layout = Layout::from_size_align(size, align).expect("a layout");
            assert_eq!(class_of(layout), None);
        }
    }
}
