//! Guards: inaccessible OS pages at the end of VM pages and behind large blocks.
//!
//! A VM page has its guard for ever, so it has fewer units. A large block has its guard while it is live, since
//! its address space is joined and split afterwards.

use super::extent::Extent;
use crate::heap::ground::Geometry;
use crate::heap::ground::hardening::Contents;
use crate::heap::pages::large::Large;
use crate::os::{PageSource, Refused, System};

/// A guard takes at most one of this many equal parts of a VM page.
const LARGEST_PART: usize = 4;

impl Geometry {
    /// Bytes of the guard at the end of each VM page; 0 without guards.
    pub(in crate::heap) fn guard_bytes(&self) -> usize {
        if self.contents().are_guarded() {
            in_page(self)
        } else {
            0
        }
    }

    /// Units of a VM page; 0 unless the family is paged.
    pub(in crate::heap) fn page_capacity(&self) -> usize {
        match self.guard_bytes() {
            0 => self.capacity(),
            lost => self.capacity_without(lost),
        }
    }
}

fn in_page(geometry: &Geometry) -> usize {
    let os_page = System::page_bytes();
    let is_small = os_page * LARGEST_PART <= geometry.page_bytes();
    if is_small { os_page } else { 0 }
}

impl Extent {
    /// Makes the guards of new VM pages, as far as the kernel allows.
    pub(in crate::heap) fn guard(&'static self, calls: &mut u64) {
        let guard = self.geometry().guard_bytes();
        if guard == 0 {
            return;
        }
        let page_bytes = self.geometry().page_bytes();
        for end in (page_bytes..=self.bytes()).step_by(page_bytes) {
            *calls += 1;
            // SAFETY: by invariant 1 the place is committed. A page has only `page_capacity` units, which
            // end before the last `guard_bytes` bytes, so that nothing is ever in them.
            let answer = unsafe { self.place.guard(end - guard, guard) };
            // Without guards nothing else is wrong: no code relies on one.
            let (Ok(_) | Err(Refused)) = answer;
        }
    }
}

impl Large {
    /// Bytes that the guard of a block needs, by what blocks contain.
    pub(in crate::heap) fn guard_bytes(contents: Contents) -> usize {
        if contents.are_guarded() {
            System::page_bytes()
        } else {
            0
        }
    }

    /// Makes the guard from the block's end to the end of the run, if the kernel allows it.
    pub(in crate::heap) fn guard(&self, calls: &mut u64) {
        if !self.heap.geometry().contents().are_guarded() {
            return;
        }
        let Some((place, offset)) = self.behind_block() else {
            return;
        };
        *calls += 1;
        // SAFETY: by invariant 1 the run is committed and the family's alone. `behind_block` is where the
        // live block ends, so that nothing needs what is behind it.
        let answer = unsafe { place.guard(offset, place.bytes - offset) };
        self.set_guard(answer.ok());
    }

    /// Removes the guard. Fails if the kernel refuses.
    pub(in crate::heap) fn unguard(&self, calls: &mut u64) -> Result<(), Refused> {
        let Some(((place, offset), how)) = self.behind_block().zip(self.known_guard()) else {
            return Ok(());
        };
        *calls += 1;
        // SAFETY: by invariant 4 `guard` accepted these bytes, and `how` is what it answered.
        unsafe { place.unguard(offset, place.bytes - offset, how) }?;
        self.set_guard(None);
        Ok(())
    }
}
