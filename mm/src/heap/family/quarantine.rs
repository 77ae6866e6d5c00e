//! The quarantine: released blocks that are not handed out again yet, oldest first.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use crate::heap::ground::{Row, meta};
use crate::heap::pages::{Page, Spot, ones_of};
use crate::os::Refused;

/// Blocks that the first ring has room for.
const FIRST_RING: usize = 64;

/// The quarantine of one family: a ring outside of the units. The family's lock guards it.
///
/// A bit in a block's extent says whether the block is here, since a search of the ring at every release would
/// take too long.
///
/// # Invariants
///
/// 1. Each block in the ring was released, lies in a VM page, is taken in the maps, and is in no cache. Nothing
///    uses it.
#[derive(Debug)]
pub(in crate::heap) struct Quarantine {
    /// The length is a power of two, or 0.
    ring: &'static [Entry],
    oldest: usize,
    blocks: usize,
    units: usize,
    /// Blocks in quarantine that are rows, and their units.
    rows: u64,
    row_units: u64,
}

/// One block.
#[derive(Debug)]
struct Entry {
    first: AtomicPtr<u8>,
    units: AtomicUsize,
}

// SAFETY: the fields of `Entry` are an atomic pointer and an atomic integer, and zero is a value of each.
unsafe impl bytemuck::Zeroable for Entry {}

impl Quarantine {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            ring: &[],
            oldest: 0,
            blocks: 0,
            units: 0,
            rows: 0,
            row_units: 0,
        }
    }

    /// Rows in quarantine, and their units.
    pub(in crate::heap) fn held_rows(&self) -> (u64, u64) {
        (self.rows, self.row_units)
    }

    /// Units in quarantine.
    pub(in crate::heap) fn units(&self) -> usize {
        self.units
    }

    /// The blocks in quarantine, oldest first.
    pub(in crate::heap) fn iter(&self) -> impl Iterator<Item = Row> {
        (self.oldest..self.oldest + self.blocks).filter_map(|place| self.entry(place).row())
    }

    /// Adds a block. Fails without memory for it.
    ///
    /// # Safety
    ///
    /// 1. `row` is a released block of this family that lies in a VM page, is taken in the maps, and is in no
    ///    cache.
    /// 2. Nothing uses it.
    pub(in crate::heap) unsafe fn push(&mut self, row: Row) -> Result<(), Refused> {
        if self.blocks == self.ring.len() {
            self.grow()?;
        }
        self.entry(self.oldest + self.blocks).set(row);
        self.blocks += 1;
        self.units += row.units;
        if row.units > 1 {
            self.rows += 1;
            self.row_units += row.units as u64;
        }
        Ok(())
    }

    /// Removes the oldest block and returns it.
    pub(in crate::heap) fn pop(&mut self) -> Option<Row> {
        if self.blocks == 0 {
            return None;
        }
        let row = self.entry(self.oldest).row()?;
        self.oldest = (self.oldest + 1) % self.ring.len();
        self.blocks -= 1;
        self.units -= row.units;
        if row.units > 1 {
            self.rows -= 1;
            self.row_units -= row.units as u64;
        }
        Some(row)
    }

    /// Doubles the ring. Earlier rings are not reused: together they are smaller than the last.
    fn grow(&mut self) -> Result<(), Refused> {
        let room = (self.ring.len() * 2).max(FIRST_RING);
        let ring: &'static [Entry] = meta::RECORDS.zeroed(room)?;
        for (to, row) in ring.iter().zip(self.iter()) {
            to.set(row);
        }
        (self.ring, self.oldest) = (ring, 0);
        Ok(())
    }

    fn entry(&self, place: usize) -> &'static Entry {
        &self.ring[place % self.ring.len()]
    }
}

impl Entry {
    fn set(&self, row: Row) {
        self.first.store(row.first.as_ptr(), Relaxed);
        self.units.store(row.units, Relaxed);
    }

    fn row(&self) -> Option<Row> {
        let first = NonNull::new(self.first.load(Relaxed))?;
        let units = self.units.load(Relaxed);
        Some(Row { first, units })
    }
}

impl Spot {
    /// Whether the block that starts here is in quarantine.
    pub(in crate::heap) fn is_quarantined(self) -> bool {
        let word = self.quarantine_word();
        word.is_some_and(|word| word.load(Relaxed) & self.quarantine_bit() != 0)
    }

    /// Notes whether the block that starts here is in quarantine. The caller has the lock.
    pub(in crate::heap) fn set_quarantined(self, is_there: bool) {
        if let Some(word) = self.quarantine_word() {
            let others = word.load(Relaxed) & !self.quarantine_bit();
            let own = u64::from(is_there) << (self.index % 64);
            word.store(others | own, Relaxed);
        }
    }

    fn quarantine_word(self) -> Option<&'static AtomicU64> {
        let Self { page, index } = self;
        let words = page.extent().geometry().words();
        let word = page.number * words + index / 64;
        page.extent().quarantined.get(word)
    }

    fn quarantine_bit(self) -> u64 {
        1 << (self.index % 64)
    }
}

impl Page {
    /// The first units of the blocks in quarantine.
    pub(in crate::heap) fn quarantined(self) -> impl Iterator<Item = usize> {
        let words = self.extent().geometry().words();
        let of_page = self.extent().quarantined.chunks(words).nth(self.number);
        let of_page = of_page.unwrap_or_default().iter().enumerate();
        of_page.flat_map(|(word, bits)| ones_of(bits.load(Relaxed)).map(move |bit| word * 64 + bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn is_first_in_first_out_through_growth() {
        let mut quarantine = Quarantine::new();
        let mut oracle = VecDeque::new();
        for number in 1..1_000_usize {
            let first = NonNull::without_provenance(core::num::NonZeroUsize::new(number).unwrap());
            let row = Row {
                first,
                units: number % 7,
            };
            // SAFETY: nothing frees the blocks of `quarantine`, so that they need no memory.
            unsafe { quarantine.push(row) }.unwrap();
            oracle.push_back((first, number % 7));
            if number % 3 == 0 {
                let row = quarantine.pop().unwrap();
                assert_eq!(Some((row.first, row.units)), oracle.pop_front());
            }
            assert!(quarantine.iter().any(|row| row.first == first));
        }
        let rows = || {
            oracle
                .iter()
                .map(|(_, units)| *units)
                .filter(|units| *units > 1)
        };
        let held = (rows().count() as u64, rows().sum::<usize>() as u64);
        assert_eq!(quarantine.held_rows(), held);
    }
}
