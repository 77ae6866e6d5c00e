//! The program and its libraries, as the loader has them.

use core::ffi::{c_int, c_void};
use core::ops::Range;
use core::{ptr, slice};

/// A loaded module, while the loader holds its locks.
///
/// # Invariants
///
/// 1. `info` is what `dl_iterate_phdr` passes to a callback that runs.
pub(crate) struct Module<'a> {
    info: &'a libc::dl_phdr_info,
}

impl Module<'_> {
    /// The address that the module's own addresses count from.
    pub(crate) fn base(&self) -> Option<usize> {
        usize::try_from(self.info.dlpi_addr).ok()
    }

    /// How many modules were loaded and unloaded so far.
    pub(crate) fn loads(&self) -> (u64, u64) {
        (self.info.dlpi_adds, self.info.dlpi_subs)
    }

    pub(crate) fn headers(&self) -> &[libc::Elf64_Phdr] {
        // SAFETY: by invariant 1 the loader has `dlpi_phnum` headers there, and they stay while it calls back
        // (dl_iterate_phdr(3)).
        unsafe { slice::from_raw_parts(self.info.dlpi_phdr, self.info.dlpi_phnum.into()) }
    }

    /// Where a header's part of the module lies in memory.
    pub(crate) fn range(&self, header: &libc::Elf64_Phdr) -> Option<Range<usize>> {
        let start = self
            .base()?
            .wrapping_add(usize::try_from(header.p_vaddr).ok()?);
        Some(start..start.checked_add(usize::try_from(header.p_memsz).ok()?)?)
    }

    /// The readable segment that an address is in.
    pub(crate) fn segment_of(&self, address: usize) -> Option<Range<usize>> {
        let is_readable = |header: &&libc::Elf64_Phdr| {
            header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_R != 0
        };
        let segments = self.headers().iter().filter(is_readable);
        let mut ranges = segments.filter_map(|header| self.range(header));
        ranges.find(|segment| segment.contains(&address))
    }

    /// From the first byte of code to the last.
    pub(crate) fn code(&self) -> Option<Range<usize>> {
        let is_code = |header: &&libc::Elf64_Phdr| {
            header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0
        };
        let parts = self.headers().iter().filter(is_code);
        let parts = parts.filter_map(|header| self.range(header));
        parts.reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))
    }

    /// The notes of the module, such as the identifier of its build.
    #[allow(clippy::cast_ptr_alignment, reason = "bytes")]
    pub(crate) fn notes(&self) -> impl Iterator<Item = &[u8]> {
        let is_note = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_NOTE;
        let notes = self.headers().iter().filter(is_note);
        let notes = notes.filter_map(|header| {
            let range = self.range(header)?;
            Some(range.start..range.end.min(self.segment_of(range.start)?.end))
        });
        notes.map(|range| {
            let first = ptr::with_exposed_provenance(range.start);
            // SAFETY: `segment_of` found a readable segment of a module that by invariant 1 stays loaded. Nothing
            // writes to notes.
            unsafe { slice::from_raw_parts(first, range.len()) }
        })
    }
}

/// Calls `f` with each module, the program first, until it returns false. The loader holds its locks meanwhile.
pub(crate) fn for_each_module(f: &mut dyn FnMut(&Module<'_>) -> bool) {
    unsafe extern "C" fn call(info: *mut libc::dl_phdr_info, _: usize, f: *mut c_void) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes on the pointer that it got below: to such a closure, which nothing else uses
        // meanwhile.
        let f = unsafe { &mut *f.cast::<&mut dyn FnMut(&Module<'_>) -> bool>() };
        // SAFETY: `dl_iterate_phdr` passes a pointer to a `dl_phdr_info`, which stays while it calls back.
        let info = unsafe { &*info };
        // Invariant 1 holds: this is the callback.
        c_int::from(!f(&Module { info }))
    }
    let mut f = f;
    // SAFETY: `call` gets the pointer to `f` back, which lives until the call is over.
    unsafe { libc::dl_iterate_phdr(Some(call), (&raw mut f).cast()) };
}
