//! Size, offset and index arithmetic of a family's VM pages. Safe code, no state.

use core::alloc::Layout;

/// Bytes of the smallest VM page, and the step of the table from addresses to records.
pub(crate) use crate::os::arena::GRANULE;

/// Bytes of the largest VM page, and of a full-grown extent: a huge OS page of x86-64.
pub(crate) const EXTENT: usize = 2 << 20;

/// Units above this size live in blocks of their own: fewer than eight would fit a VM page.
const LARGEST_PAGED_UNIT: usize = EXTENT / MIN_UNITS;

/// A VM page has room for at least this many units, which bounds its tail to an eighth.
const MIN_UNITS: usize = 8;

/// Blocks of fewer units never have slack ones. So no two blocks that may have start within
/// this many units, and the table of slack units has one place for that many.
pub(crate) const LONG_ROW: usize = 32;

/// Units of the longest block that caches keep, and its bytes at most.
pub(crate) const LONGEST_ROW: usize = 455;
const LARGEST_ROW: usize = 64 << 10;

/// Fraction bits of [`Geometry::reciprocal`].
const RECIPROCAL_BITS: u32 = 40;

/// Words of a page's map for which one bit of the page's ready mask stands, at most 64 groups of them.
const MOST_GROUPS: u32 = 64;

// `index_of` is exact while offset * unit < 2^RECIPROCAL_BITS.
const _: () = assert!((EXTENT as u64) * (LARGEST_PAGED_UNIT as u64) <= 1 << RECIPROCAL_BITS);
const _: () = assert!(GRANULE.is_power_of_two() && EXTENT.is_power_of_two());

/// How the units of one family are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    unit: usize,
    align: usize,
    /// Logarithm of the bytes of a VM page: a division would be the longest part of a release.
    page_shift: u32,
    page_mask: usize,
    capacity: u32,
    /// Words of one bit map.
    words: u32,
    group_shift: u32,
    slack_places: u32,
    reciprocal: u64,
    placement: Placement,
}

/// Where the blocks of a family go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Nowhere: units have no size, blocks are only counted.
    Counted,
    /// Into VM pages of many units.
    Paged,
    /// Each into a run of address space of its own.
    Large,
}

impl Geometry {
    /// Works out the geometry of units of `layout`, whose size is a multiple of its alignment.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a VM page has at most 2 MiB, and so fewer than 2^32 units"
    )]
    pub(crate) const fn new(layout: Layout) -> Self {
        let (unit, align) = (layout.size(), layout.align());
        let placement = placement(unit);
        let page_bytes = page_bytes(unit);
        let paged = matches!(placement, Placement::Paged);
        let capacity = if paged { (page_bytes / unit) as u32 } else { 0 };
        Self {
            unit,
            align,
            page_shift: page_bytes.ilog2(),
            page_mask: page_bytes - 1,
            capacity,
            words: capacity.div_ceil(64),
            group_shift: capacity
                .div_ceil(64)
                .div_ceil(MOST_GROUPS)
                .next_power_of_two()
                .ilog2(),
            slack_places: capacity.div_ceil(LONG_ROW as u32),
            reciprocal: if paged {
                (1 << RECIPROCAL_BITS) / unit as u64 + 1
            } else {
                0
            },
            placement,
        }
    }

    /// Bytes of one unit.
    pub(crate) const fn unit(&self) -> usize {
        self.unit
    }

    /// Alignment of a unit in bytes.
    pub(crate) const fn align(&self) -> usize {
        self.align
    }

    /// Bytes of one VM page, aligned to its size.
    pub(crate) const fn page_bytes(&self) -> usize {
        self.page_mask + 1
    }

    /// Splits an offset from a VM page's start into whole pages and the rest.
    pub(crate) const fn split_pages(&self, offset: usize) -> (usize, usize) {
        (offset >> self.page_shift, offset & self.page_mask)
    }

    /// Units of a VM page without colour; 0 unless paged.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Where blocks go.
    pub(crate) const fn placement(&self) -> Placement {
        self.placement
    }

    /// Words of one bit map of a VM page.
    pub(crate) const fn words(&self) -> usize {
        self.words as usize
    }

    /// Places of a VM page's table of slack units.
    pub(crate) const fn slack_places(&self) -> usize {
        self.slack_places as usize
    }

    /// Units of a VM page that has `lost` bytes for other things; 0 unless paged.
    pub(crate) const fn capacity_without(&self, lost: usize) -> usize {
        match self.placement {
            Placement::Paged => (self.page_bytes() - lost) / self.unit,
            Placement::Counted | Placement::Large => 0,
        }
    }

    /// Bytes of a block of `units` units, unless no block can be that large.
    pub(crate) fn block_bytes(&self, units: usize) -> Option<usize> {
        let bytes = units.checked_mul(self.unit)?;
        Layout::from_size_align(bytes, self.align).ok()?;
        Some(bytes)
    }

    /// Units of the longest block that caches keep; below 2 there is none.
    pub(crate) fn longest_row(&self) -> usize {
        let most = LARGEST_ROW / self.unit.max(1);
        LONGEST_ROW.min(self.capacity()).min(most)
    }

    /// Whether caches keep blocks of `units` units, more than one.
    pub(crate) fn keeps_rows(&self, units: usize) -> bool {
        (2..=self.longest_row()).contains(&units)
    }

    /// Index of the unit that `offset` bytes from a page's first unit lie in.
    #[inline]
    pub(crate) const fn index_of(&self, offset: usize) -> usize {
        ((offset as u64 * self.reciprocal) >> RECIPROCAL_BITS) as usize
    }

    /// The word of a page from which family number `number` takes its first units.
    ///
    /// Without it the first units of all families meet in the same few sets of the CPU's caches.
    pub(crate) const fn colour(&self, number: usize) -> usize {
        match self.words {
            0 => 0,
            words => number * 7 % words as usize,
        }
    }

    /// Logarithm of the words for which one bit of a page's ready mask stands.
    #[inline]
    pub(crate) const fn group_shift(&self) -> u32 {
        self.group_shift
    }

    /// Bytes from the start of the VM page that `address` lies in.
    #[inline]
    pub(crate) const fn in_page(&self, address: usize) -> usize {
        address & self.page_mask
    }
}

/// Whether units of so many bytes lie in VM pages.
pub(crate) const fn is_paged(unit: usize) -> bool {
    matches!(placement(unit), Placement::Paged)
}

const fn placement(unit: usize) -> Placement {
    match unit {
        0 => Placement::Counted,
        1..=LARGEST_PAGED_UNIT => Placement::Paged,
        _ => Placement::Large,
    }
}

const fn page_bytes(unit: usize) -> usize {
    if unit > LARGEST_PAGED_UNIT || unit * MIN_UNITS <= GRANULE {
        return GRANULE;
    }
    (unit * MIN_UNITS).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn geometry(unit: usize) -> Geometry {
        Geometry::new(Layout::from_size_align(unit, 1).unwrap())
    }

    #[test]
    fn pages_hold_at_least_eight_units() {
        for unit in (1..LARGEST_PAGED_UNIT).step_by(97) {
            assert!(geometry(unit).capacity() >= MIN_UNITS, "{unit}");
        }
    }

    #[test]
    fn a_unit_of_36_bytes_has_the_figures_of_the_report() {
        assert_eq!(geometry(36).capacity(), 1_820);
        assert_eq!(geometry(36).page_bytes(), 65_536);
    }

    proptest! {
        #[test]
        fn index_is_division(unit in 1..=LARGEST_PAGED_UNIT, offset in 0..EXTENT) {
            let geometry = geometry(unit);
            prop_assume!(offset < geometry.page_bytes());
            prop_assert_eq!(geometry.index_of(offset), offset / unit);
        }
    }
}
