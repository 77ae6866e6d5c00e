//! Which OS pages have memory of their own.
//!
//! `mincore` counts pages that were read and never written, although all of them share one page of zeros,
//! which the kernel does not charge to any process: 256 MiB that were only read are then more than the
//! process has. `PAGEMAP_SCAN` distinguishes them. It costs about 20 ns for a page that has
//! memory (`mincore`: 6 ns), and needs Linux 6.7 and `/proc`; elsewhere `mincore` is asked.
//!
//! Source: `PAGEMAP_SCAN` in `linux/fs.h`, and `admin-guide/mm/pagemap.rst` of the kernel.

use core::ptr::NonNull;
use std::fs::File;
use std::os::fd::AsRawFd;

#[cfg(test)]
use super::mmap::lies::{Lie, is_told};
use super::{PageSource, RESIDENT_PAGES, Refused, System};

/// `struct pm_scan_arg`.
#[derive(Debug, Default)]
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    /// Up to where the kernel came.
    walk_end: u64,
    regions: u64,
    most_regions: u64,
    most_pages: u64,
    /// Categories of which a page has to lack those of `wanted` that are here.
    inverted: u64,
    wanted: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// In memory, not in swap.
const PAGE_IS_PRESENT: u64 = 1 << 3;
/// The page of zeros.
const PAGE_IS_PFNZERO: u64 = 1 << 5;

const PAGEMAP_SCAN: libc::Ioctl = libc::_IOWR::<Scan>(b'f' as u32, 16);

/// Regions have a page between them.
const MOST_REGIONS: usize = RESIDENT_PAGES / 2 + 1;

/// The process's page table, if the kernel shows it.
///
/// Opened for one walk: a descriptor that stays open would refer to the parent in a forked child, and
/// programs may close descriptors that they do not own.
#[derive(Debug)]
pub(crate) struct Pagemap(Option<File>);

impl Pagemap {
    /// None, where what it says is not true.
    pub(super) fn closed() -> Self {
        Self(None)
    }

    /// Opens it, and asks whether the kernel knows the call.
    pub(super) fn open() -> Self {
        let file = File::open("/proc/self/pagemap").ok();
        // SAFETY: `Scan::default` has room for no region.
        Self(file.filter(|file| unsafe { scan(file, &mut Scan::default()) }.is_ok()))
    }

    /// Whether the kernel shows it.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Writes for each OS page from `start` on whether it has its own memory, into the lowest bit.
    pub(super) fn look(&self, start: NonNull<u8>, pages: &mut [u8]) -> Result<(), Refused> {
        let file = self.0.as_ref().ok_or(Refused)?;
        let page = System::page_bytes();
        let from = start.addr().get();
        let mut regions = [Region::default(); MOST_REGIONS];
        let mut asked = Scan {
            start: from as u64,
            end: (from + pages.len() * page) as u64,
            regions: regions.as_mut_ptr().expose_provenance() as u64,
            most_regions: MOST_REGIONS as u64,
            wanted: PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
            inverted: PAGE_IS_PFNZERO,
            returned: PAGE_IS_PRESENT,
            ..Scan::default()
        };
        // SAFETY: `asked` has the address of `regions`, and their number.
        let found = unsafe { scan(file, &mut asked) }?;
        if asked.walk_end != asked.end {
            return Err(Refused);
        }
        pages.fill(0);
        for region in regions.get(..found).ok_or(Refused)? {
            let index = |address: u64| {
                let offset = usize::try_from(address).ok()?.checked_sub(from)?;
                Some(offset / page)
            };
            let backed = index(region.start).zip(index(region.end));
            let backed = backed.and_then(|(first, end)| pages.get_mut(first..end));
            backed.ok_or(Refused)?.fill(1);
        }
        Ok(())
    }
}

/// Asks the kernel; returns how many regions it found.
///
/// # Safety
///
/// 1. `asked.most_regions` regions may be written to `asked.regions`.
unsafe fn scan(file: &File, asked: &mut Scan) -> Result<usize, Refused> {
    #[cfg(test)]
    if is_told(Lie::PageTable) {
        asked.walk_end = asked.end;
        return Ok(0);
    }
    asked.size = size_of::<Scan>() as u64;
    // SAFETY: `ioctl` reads and writes `asked`, and by requirement 1 as many regions as it says there is
    // room for. Without a flag the call changes no page. If the file is another one, it does not know the
    // number.
    let found = unsafe { libc::ioctl(file.as_raw_fd(), PAGEMAP_SCAN, &raw mut *asked) };
    usize::try_from(found).map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_zeros_is_nobodys_memory() {
        let table = Pagemap::open();
        if !table.is_open() {
            println!("this kernel does not tell pages of zeros apart");
            return;
        }
        let page = System::page_bytes();
        let start = System::reserve(4 * page, page).unwrap();
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { System::commit(start, 4 * page) }.unwrap();
        // SAFETY: `reserve` gave the range, which is the whole reservation.
        unsafe { System::prefer_huge(start, 4 * page, false) };
        let at = |index: usize| start.as_ptr().wrapping_add(index * page);
        // SAFETY: `commit` accepted the page, and no other code has it.
        unsafe { at(1).write_volatile(1) };
        // SAFETY: `commit` accepted the page, and no other code has it.
        assert_eq!(unsafe { at(2).read_volatile() }, 0);
        // SAFETY: `commit` accepted the page, and no other code has it.
        unsafe { at(3).write_volatile(1) };
        let mut seen = [9; 4];
        table.look(start, &mut seen).unwrap();
        assert_eq!(seen, [0, 1, 0, 1]);
        // SAFETY: `reserve` gave the range, which is the whole reservation. Nothing uses it any more.
        unsafe { System::unreserve(start, 4 * page, page) };
    }
}
