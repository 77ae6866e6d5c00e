//! The program and its libraries, as the loader has them.

use core::ffi::{c_int, c_void};
use core::ops::Range;
use core::{ptr, slice};

use framehop::{
    ExplicitModuleSectionInfo, Module, MustNotAllocateDuringUnwind, Unwinder, UnwinderNative,
};

use super::covered::{Tables, frames_at};

/// Modules at most; the stacks of a program with more end at the others.
const MOST: usize = 1_024;

pub(super) type Native = UnwinderNative<&'static [u8], MustNotAllocateDuringUnwind>;

/// How many modules were loaded and unloaded so far.
pub(super) type Loads = (u64, u64);

/// A loaded module that has tables.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// Where its code is.
    pub(super) code: Range<usize>,
    pub(super) tables: Tables,
    base: usize,
}

/// Returns how many modules were loaded and unloaded so far. Source: `dl_iterate_phdr(3)`.
pub(super) fn loads() -> Loads {
    let mut loads = (0, 0);
    iterate(&mut |info| {
        loads = (info.dlpi_adds, info.dlpi_subs);
        false
    });
    loads
}

/// Returns the modules, sorted by address, and the count of loads that they are of. It allocates, but not while the
/// loader holds its locks.
pub(super) fn loaded() -> (Vec<Loaded>, Loads) {
    let (mut modules, mut loads) = (Vec::with_capacity(MOST), (0, 0));
    iterate(&mut |info| {
        loads = (info.dlpi_adds, info.dlpi_subs);
        if let Some(module) = Loaded::of(info)
            && modules.len() < MOST
        {
            modules.push(module);
        }
        true
    });
    modules.sort_unstable_by_key(|module| module.code.start);
    modules.shrink_to_fit();
    (modules, loads)
}

/// Makes the unwinder for modules.
pub(super) fn unwinder(modules: &[Loaded]) -> Native {
    let mut unwinder = Native::new();
    for module in modules {
        unwinder.add_module(module.described());
    }
    unwinder
}

impl Loaded {
    /// The module as the loader describes it; `None` without tables, or with tables of another kind.
    fn of(info: &libc::dl_phdr_info) -> Option<Self> {
        let base = usize::try_from(info.dlpi_addr).ok()?;
        // SAFETY: the loader has `dlpi_phnum` headers there, and they stay while it calls back (dl_iterate_phdr(3)).
        let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let segments = || {
            headers
                .iter()
                .filter(|header| header.p_type == libc::PT_LOAD)
        };
        let range = |header: &libc::Elf64_Phdr| {
            let start = base.wrapping_add(usize::try_from(header.p_vaddr).ok()?);
            Some(start..start.checked_add(usize::try_from(header.p_memsz).ok()?)?)
        };
        let mut code = segments()
            .filter(|header| header.p_flags & libc::PF_X != 0)
            .filter_map(range);
        let first = code.next()?;
        let code = code.fold(first, |all, one| {
            all.start.min(one.start)..all.end.max(one.end)
        });
        let kind = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_GNU_EH_FRAME;
        let header = headers.iter().find(kind).and_then(range)?;
        let segment_of = |address: usize| {
            let readable = segments().filter(|header| header.p_flags & libc::PF_R != 0);
            readable
                .filter_map(range)
                .find(|segment| segment.contains(&address))
        };
        let within = segment_of(header.start)?;
        // SAFETY: `within` is a readable segment of a module that is loaded.
        let header_bytes = unsafe { bytes(header.start..header.end.min(within.end)) };
        let frames = frames_at(header_bytes, header.start)?;
        let frames = frames..segment_of(frames)?.end;
        // SAFETY: `segment_of` found a readable segment of a module that is loaded.
        let frame_bytes = unsafe { bytes(frames.clone()) };
        Some(Self {
            code,
            tables: Tables {
                header: header_bytes,
                header_at: header.start,
                frames: frame_bytes,
                frames_at: frames.start,
            },
            base,
        })
    }

    /// The module as the unwinder takes it.
    fn described(&self) -> Module<&'static [u8]> {
        let from_base = |at: usize, bytes: &[u8]| {
            let start = at.wrapping_sub(self.base) as u64;
            start..start + bytes.len() as u64
        };
        let Tables {
            header,
            header_at,
            frames,
            frames_at,
        } = self.tables;
        let sections = ExplicitModuleSectionInfo {
            base_svma: 0,
            eh_frame_hdr_svma: Some(from_base(header_at, header)),
            eh_frame_hdr: Some(header),
            eh_frame_svma: Some(from_base(frames_at, frames)),
            eh_frame: Some(frames),
            ..ExplicitModuleSectionInfo::default()
        };
        let code = self.code.start as u64..self.code.end as u64;
        Module::new(String::new(), code, self.base as u64, sections)
    }
}

/// The bytes of a part of a module.
///
/// # Safety
///
/// 1. The part is in a readable segment of a module that is loaded.
///
/// The reference is used as long as the loader's counts stay the same, or for a module whose code is on the stack of
/// the thread that uses it: a program that unloads such a module has undefined behaviour.
unsafe fn bytes(part: Range<usize>) -> &'static [u8] {
    let first = ptr::with_exposed_provenance(part.start);
    // SAFETY: by requirement 1 so many bytes can be read. Nothing writes to tables for exceptions once the loader has
    // relocated the module.
    unsafe { slice::from_raw_parts(first, part.len()) }
}

/// Calls `f` with each module, until it returns false.
fn iterate(f: &mut dyn FnMut(&libc::dl_phdr_info) -> bool) {
    unsafe extern "C" fn call(info: *mut libc::dl_phdr_info, _: usize, f: *mut c_void) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes on the pointer that it got below: to such a closure, which nothing else uses
        // meanwhile.
        let f = unsafe { &mut *f.cast::<&mut dyn FnMut(&libc::dl_phdr_info) -> bool>() };
        // SAFETY: `dl_iterate_phdr` passes a pointer to a `dl_phdr_info`, which stays while it calls back.
        let info = unsafe { &*info };
        c_int::from(!f(info))
    }
    let mut f = f;
    // SAFETY: `call` gets the pointer to `f` back, which lives until the call is over.
    unsafe { libc::dl_iterate_phdr(Some(call), (&raw mut f).cast()) };
}
