//! Size, offset and index arithmetic for the VM pages of a family. It is safe code without state.

use core::alloc::Layout;

use super::hardening::Contents;

/// Bytes of the smallest VM page, and the step of the table from addresses to records.
pub(crate) use crate::os::arena::GRANULE;

/// Bytes of the largest VM page, and of a full-grown extent. This is a huge OS page of x86-64.
pub(crate) const EXTENT: usize = 2 << 20;

/// Bytes of the largest unit that lies in a VM page. Of larger units, fewer than eight would fit.
const LARGEST_PAGED_UNIT: usize = EXTENT / MIN_UNITS;

/// Units that a VM page has room for, at least. So at most an eighth of it is lost at its end.
const MIN_UNITS: usize = 8;

/// Units of the shortest block that may have slack. Two blocks with slack start at least this many units apart,
/// so the table of slack has one slot for that many units.
pub(crate) const LONG_ROW: usize = 32;

/// The longest block that caches keep, in units; `LARGEST_ROW` bounds its bytes.
pub(crate) const LONGEST_ROW: usize = 455;
const LARGEST_ROW: usize = 64 << 10;

/// Fraction bits of [`Geometry::reciprocal`].
const RECIPROCAL_BITS: u32 = 40;

/// Groups of words in a VM page, at most: the page's ready mask has one bit for each group.
const MOST_GROUPS: u32 = 64;

// `index_of` is exact while offset * unit < 2^RECIPROCAL_BITS.
const _: () = assert!((EXTENT as u64) * (LARGEST_PAGED_UNIT as u64) <= 1 << RECIPROCAL_BITS);
const _: () = assert!(GRANULE.is_power_of_two() && EXTENT.is_power_of_two());

/// The layout of one family's units, and whether they have a type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    unit: usize,
    align: usize,
    /// Logarithm of the bytes of a VM page. A division would be the slowest step of a release.
    page_shift: u32,
    page_mask: usize,
    capacity: u32,
    /// Words of one bit map.
    words: u32,
    group_shift: u32,
    slack_places: u32,
    reciprocal: u64,
    placement: Placement,
    contents: Contents,
}

/// Where the blocks of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Nowhere: units have no size, so blocks are only counted.
    Counted,
    /// In VM pages of many units.
    Paged,
    /// Each in a run of address space of its own.
    Large,
}

impl Geometry {
    /// Computes the geometry of units of `layout`, whose size is a multiple of its alignment.
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
            contents: Contents::Typed,
        }
    }

    /// Makes blocks untyped, before there are any.
    pub(crate) const fn begin_untyped(&mut self) {
        self.contents = Contents::Untyped;
    }

    /// Whether blocks have a type.
    pub(crate) const fn contents(&self) -> Contents {
        self.contents
    }

    /// Bytes of one unit.
    pub(crate) const fn unit(&self) -> usize {
        self.unit
    }

    /// Alignment of a unit in bytes.
    pub(crate) const fn align(&self) -> usize {
        self.align
    }

    /// Bytes of one VM page, which is aligned to its size.
    pub(crate) const fn page_bytes(&self) -> usize {
        self.page_mask + 1
    }

    /// Splits an offset from the start of a VM page into whole pages and the remaining bytes.
    pub(crate) const fn split_pages(&self, offset: usize) -> (usize, usize) {
        (offset >> self.page_shift, offset & self.page_mask)
    }

    /// Units of a VM page that has nothing else in it; 0 unless the family is paged.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Where the family's blocks are.
    pub(crate) const fn placement(&self) -> Placement {
        self.placement
    }

    /// Words of one bit map of a VM page.
    pub(crate) const fn words(&self) -> usize {
        self.words as usize
    }

    /// Entries of a VM page's table of slack.
    pub(crate) const fn slack_places(&self) -> usize {
        self.slack_places as usize
    }

    /// Units of a VM page of which `lost` bytes have another use; 0 unless the family is paged.
    pub(crate) const fn capacity_without(&self, lost: usize) -> usize {
        match self.placement {
            Placement::Paged => (self.page_bytes() - lost) / self.unit,
            Placement::Counted | Placement::Large => 0,
        }
    }

    /// Bytes of a block of `units` units; `None` if no block can be that large.
    pub(crate) fn block_bytes(&self, units: usize) -> Option<usize> {
        let bytes = units.checked_mul(self.unit)?;
        Layout::from_size_align(bytes, self.align).ok()?;
        Some(bytes)
    }

    /// Units of the longest block that caches keep; they keep no rows if it is below 2.
    pub(crate) fn longest_row(&self) -> usize {
        let most = LARGEST_ROW / self.unit.max(1);
        LONGEST_ROW.min(self.capacity()).min(most)
    }

    /// Whether caches keep blocks of `units` units. Always false for one unit.
    pub(crate) fn keeps_rows(&self, units: usize) -> bool {
        (2..=self.longest_row()).contains(&units)
    }

    /// Index of the unit that contains the byte at `offset`, in bytes from the page's first unit.
    #[inline]
    pub(crate) const fn index_of(&self, offset: usize) -> usize {
        ((offset as u64 * self.reciprocal) >> RECIPROCAL_BITS) as usize
    }

    /// The word of a page from which family number `number` takes its first units.
    ///
    /// If this were the same word for all families, their first units would compete for a few sets of the CPU's
    /// caches.
    pub(crate) const fn colour(&self, number: usize) -> usize {
        match self.words {
            0 => 0,
            words => number * 7 % words as usize,
        }
    }

    /// Logarithm of the number of words in a group, for which the page's ready mask has one bit.
    #[inline]
    pub(crate) const fn group_shift(&self) -> u32 {
        self.group_shift
    }

    /// Bytes from the start of the VM page that contains `address`.
    #[inline]
    pub(crate) const fn in_page(&self, address: usize) -> usize {
        address & self.page_mask
    }
}

/// Whether units of `unit` bytes lie in VM pages.
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
