//! Resident memory of the families, of mm's records and of the whole process, as reported by the kernel.
//!
//! A missing answer is not 0: a family's figure is `None` if the kernel did not report any part of it,
//! and so is a sum with such a part. Known figures are consistent: the parts are never more than the
//! whole. If the whole is unknown, parts that only the whole could refute are unknown, too.

use crate::family::PageFamily;
use crate::heap;
use crate::os::{PageSource, System, process};
use crate::snapshot::ProcessFigures;

/// Bytes that are backed by memory, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    /// Bytes of each family, by its number.
    families: Vec<Option<u64>>,
    /// Bytes of mm's own maps, records and tables.
    records: Option<u64>,
    /// Bytes of the whole process.
    process: Option<u64>,
}

impl Resident {
    /// Asks the kernel. Allocates, so no lock of the heap may be held.
    pub(crate) fn measure() -> Self {
        let look = System::look();
        let mut families = vec![Some(0); heap::numbered_families()];
        heap::add_resident(&look, &mut families);
        let records = heap::records_resident(&look);
        let measured = Self {
            families,
            records: records.ok().map(|bytes| bytes as u64),
            process: process::resident_bytes(),
        };
        measured.agreed(
            System::tells_zeros(&look),
            process::resident_bytes_by_mapping,
        )
    }

    /// Returns the bytes of one family.
    pub(crate) fn of(&self, family: &PageFamily) -> Option<u64> {
        self.families.get(family.number()).copied().flatten()
    }

    /// The process's figures for a snapshot.
    pub(crate) fn process_figures(&self) -> ProcessFigures {
        let families = self.families.iter().all(Option::is_some);
        ProcessFigures {
            os_page_bytes: System::page_bytes() as u64,
            resident_bytes: self.process,
            records_resident_bytes: self.records,
            resident_is_measured: families && self.records.is_some(),
        }
    }

    /// Makes parts and whole agree.
    ///
    /// The kernel keeps the whole in counters that some versions add up only roughly, so `exactly` is
    /// called if the parts exceed it. If they still do, there are two cases. Either pages of zeros count
    /// as the parts' memory, and the parts are unknown. Or, with `zeros_are_told`, memory was returned
    /// between the two measurements, and the process had at least the parts. Without file descriptors
    /// neither the whole nor the page table, which distinguishes pages of zeros, can be read.
    fn agreed(mut self, zeros_are_told: bool, exactly: impl FnOnce() -> Option<u64>) -> Self {
        let parts = self.families.iter().copied().chain([self.records]);
        let parts: u64 = parts.flatten().sum();
        let agrees = |whole| parts <= whole;
        if self.process.map_or(zeros_are_told, agrees) {
            return self;
        }
        match exactly() {
            Some(whole) if agrees(whole) => self.process = Some(whole),
            _ if zeros_are_told => self.process = Some(parts),
            _ => {
                self.families.fill(None);
                self.records = None;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::faulty::{Call, Fault, refusing};
    use core::alloc::Layout;

    fn resident(families: &[Option<u64>], process: Option<u64>) -> Resident {
        Resident {
            families: families.to_vec(),
            records: Some(10),
            process,
        }
    }

    #[test]
    fn the_parts_are_never_more_than_the_whole() {
        let parts = [Some(50), None, Some(40)];
        let of = |process, zeros_are_told, exactly: Option<u64>| {
            resident(&parts, process).agreed(zeros_are_told, || exactly)
        };
        assert_eq!(of(Some(100), false, Some(1)), resident(&parts, Some(100)));
        assert_eq!(of(None, true, Some(1)), resident(&parts, None));
        assert_eq!(of(None, false, Some(120)), resident(&parts, Some(120)));
        for exactly in [Some(1), None] {
            let unknown = of(None, false, exactly);
            assert_eq!((unknown.families, unknown.records), (vec![None; 3], None));
            assert_eq!(unknown.process, None);
        }
        assert_eq!(of(Some(99), false, Some(120)), resident(&parts, Some(120)));
        assert_eq!(of(Some(99), true, Some(98)), resident(&parts, Some(100)));
        assert_eq!(of(Some(99), true, None), resident(&parts, Some(100)));
        for exactly in [Some(98), None] {
            let unknown = of(Some(99), false, exactly);
            assert_eq!((unknown.families, unknown.records), (vec![None; 3], None));
            assert_eq!(unknown.process, Some(99));
        }
    }

    #[test]
    fn a_refusal_in_the_middle_leaves_no_sum() {
        let layout = Layout::new::<[u8; 4_096]>();
        let [first, last] = ["resident-first", "resident-last"].map(|name| {
            let family = PageFamily::register(name, layout).expect("a new name");
            // Twice what one call is asked about, so no call sees two families whole.
            let block = family.alloc(1_024).expect("memory");
            // SAFETY: `alloc` gave the block just now, with as many bytes.
            unsafe { block.write_bytes(1, 1_024 * 4_096) };
            family
        });
        let measure = |nth| {
            let fault = Fault {
                call: Some(Call::Ask),
                nth,
                lasting: false,
            };
            refusing(fault, Resident::measure)
        };
        let (whole, _) = measure(usize::MAX);
        if !cfg!(mm_portable) && cfg!(target_os = "linux") {
            assert!(whole.of(first) >= Some(4 << 20) && whole.of(last) >= Some(4 << 20));
        }
        let mut lost = [false; 3];
        for nth in 0.. {
            let (cut, reached) = measure(nth);
            if !reached {
                break;
            }
            let unknown = [cut.of(first), cut.of(last), cut.records].map(|part| part.is_none());
            let all_known = cut.process_figures().resident_is_measured;
            assert!(!all_known, "call {nth}");
            for (lost, unknown) in lost.iter_mut().zip(unknown) {
                *lost |= unknown;
            }
        }
        assert_eq!(lost, [true; 3]);
    }
}
