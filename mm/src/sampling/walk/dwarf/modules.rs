//! The program and its libraries, as the loader has them.

use core::ops::Range;
use core::{ptr, slice};

use framehop::{
    ExplicitModuleSectionInfo, Module, MustNotAllocateDuringUnwind, Unwinder, UnwinderNative,
};

use super::covered::{Tables, frames_at};
use crate::os::loader;

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
    loader::for_each_module(&mut |module| {
        loads = module.loads();
        false
    });
    loads
}

/// Returns the modules, sorted by address, and the count of loads that they are of. It allocates, but not while the
/// loader holds its locks.
pub(super) fn loaded() -> (Vec<Loaded>, Loads) {
    let (mut modules, mut loads) = (Vec::with_capacity(MOST), (0, 0));
    loader::for_each_module(&mut |module| {
        loads = module.loads();
        if let Some(loaded) = Loaded::of(module)
            && modules.len() < MOST
        {
            modules.push(loaded);
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
    fn of(module: &loader::Module<'_>) -> Option<Self> {
        let kind = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_GNU_EH_FRAME;
        let header = module.headers().iter().find(kind);
        let header = header.and_then(|header| module.range(header))?;
        let within = module.segment_of(header.start)?;
        // SAFETY: `within` is a readable segment of a module that is loaded.
        let header_bytes = unsafe { bytes(header.start..header.end.min(within.end)) };
        let frames = frames_at(header_bytes, header.start)?;
        let frames = frames..module.segment_of(frames)?.end;
        // SAFETY: `segment_of` found a readable segment of a module that is loaded.
        let frame_bytes = unsafe { bytes(frames.clone()) };
        Some(Self {
            code: module.code()?,
            tables: Tables {
                header: header_bytes,
                header_at: header.start,
                frames: frame_bytes,
                frames_at: frames.start,
            },
            base: module.base()?,
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
