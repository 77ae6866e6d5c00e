//! Figures as C structs. Later versions add fields, so the caller passes the size of its struct.

use core::mem::offset_of;

use super::family::{family_at, mm_family};
use super::last_error::{Answer, refuse, status};
use super::refused::Refused;
use super::status::mm_status;
use crate::entry::snapshot;
use crate::registry::snapshot_of;
use crate::snapshot::{FamilySnapshot, Snapshot};

/// The version of `struct mm_stats` and `struct mm_family_stats`. Later versions have more fields at
/// the end.
pub const MM_STATS_VERSION: u32 = 1;

/// The value of a figure that the system does not report. It stands for resident bytes where the kernel
/// is not asked or refuses to answer.
pub const MM_NOT_MEASURED: u64 = u64::MAX;

/// Totals of all families, and figures of the process.
///
/// The caller sets `size` and `version`; `MM_STATS_INIT` does that. The library writes no more than
/// `size` bytes. A program with an older header gets the fields that it knows. In a program with a
/// newer header than the library, the fields that the library does not know become 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct mm_stats {
    /// Set by the caller: `sizeof(struct mm_stats)`.
    pub size: usize,
    /// Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
    /// own, if that is older.
    pub version: u32,
    /// 1 if `resident_bytes` and `records_resident_bytes` are known, as is `resident_bytes` of each
    /// family; 0 if one of those is `MM_NOT_MEASURED`.
    pub resident_is_measured: u32,
    /// Page families.
    pub families: u64,
    /// Bytes of one OS page.
    pub os_page_bytes: u64,
    /// Resident bytes of the whole process; `MM_NOT_MEASURED` where the system does not say.
    pub process_resident_bytes: u64,
    /// Resident bytes of mm's own maps, records and tables, or `MM_NOT_MEASURED`.
    pub records_resident_bytes: u64,
    /// VM pages in use: those that may be backed by memory.
    pub vm_pages: u64,
    /// Bytes of address space in use by VM pages.
    pub mapped_bytes: u64,
    /// Bytes of VM pages that are backed by memory, or `MM_NOT_MEASURED`.
    pub resident_bytes: u64,
    /// Blocks handed out and not released.
    pub live_blocks: u64,
    /// Units of the live blocks, whatever their sizes.
    pub live_units: u64,
    /// Bytes of the live units.
    pub live_bytes: u64,
    /// Units in threads' caches, whatever their sizes.
    pub cached_units: u64,
    /// Bytes of the units in threads' caches.
    pub cached_bytes: u64,
    /// Blocks handed out since start.
    pub blocks_allocated: u64,
    /// Blocks released since start.
    pub blocks_released: u64,
    /// Calls into the kernel for families' memory since start.
    pub kernel_calls: u64,
    /// Bytes that `mm_trim` would return now. Locked memory counts until the kernel refused to take it.
    pub reclaimable_bytes: u64,
}

/// Figures of one family. `size` and `version` are as in `struct mm_stats`; `MM_FAMILY_STATS_INIT` sets
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct mm_family_stats {
    /// Set by the caller: `sizeof(struct mm_family_stats)`.
    pub size: usize,
    /// Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
    /// own, if that is older.
    pub version: u32,
    /// 1 if the family was registered while the program ran; 0 if it is that of a type of Rust.
    pub run_time: u32,
    /// Bytes of one unit.
    pub unit_size: u64,
    /// Alignment of a unit, in bytes.
    pub unit_align: u64,
    /// Units that fit into one VM page; 0 when units have no size, 1 when a unit is larger.
    pub units_per_page: u64,
    /// VM pages in use. Units were taken from them since they were made or given back.
    pub vm_pages: u64,
    /// Bytes of address space in use by VM pages.
    pub mapped_bytes: u64,
    /// Bytes of VM pages that are backed by memory. `MM_NOT_MEASURED` if the kernel does not report all of
    /// them.
    pub resident_bytes: u64,
    /// Blocks handed out and not released.
    pub live_blocks: u64,
    /// Units of the live blocks.
    pub live_units: u64,
    /// Bytes of the live units.
    pub live_bytes: u64,
    /// Maximal runs of free units inside VM pages in use.
    pub free_blocks: u64,
    /// Units of the free blocks.
    pub free_units: u64,
    /// Units in the caches of threads, neither live nor free.
    pub cached_units: u64,
    /// Highest number of live bytes seen, to within one cache per thread.
    pub peak_live_bytes: u64,
    /// Blocks handed out since the start of the process.
    pub blocks_allocated: u64,
    /// Blocks released since the start of the process.
    pub blocks_released: u64,
    /// Calls into the kernel for the memory of the family since the start of the process.
    pub kernel_calls: u64,
    /// Units of the largest free block. 0 if there is none.
    pub largest_free_block: u64,
    /// Bytes that a trim would give back to the system now. As in `struct mm_stats`.
    pub reclaimable_bytes: u64,
    /// Units that fit into the first VM page of the family. Always equal to `units_per_page`.
    pub first_page_units: u64,
    /// Bytes that the program requested for the live units.
    pub requested_bytes: u64,
}

/// Fills in the totals of all families. They are exact while no other thread allocates or releases.
///
/// Fails with `MM_BAD_ARGUMENT` if `stats` is `NULL`, `size` does not include `version`, or `version`
/// is 0.
///
/// # Safety
///
/// 1. `stats` is null, or `stats->size` is set and that many bytes can be read and written there. If
///    they include `version`, it is set, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_stats(stats: *mut mm_stats) -> mm_status {
    // SAFETY: requirement 1 is that of `fill`, and `mm_stats` begins as a `Head` does.
    status(unsafe { fill(stats, || Ok(mm_stats::from(&snapshot()))) })
}

/// Fills in the figures of one family. It fails as `mm_stats` does, and if `family` is `NULL`.
///
/// # Safety
///
/// 1. `stats` is null, or `stats->size` is set and that many bytes can be read and written there. If
///    they include `version`, it is set, too.
/// 2. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_stats(
    family: *const mm_family,
    stats: *mut mm_family_stats,
) -> mm_status {
    // SAFETY: by requirement 2 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    let figures = || Ok(mm_family_stats::from(&snapshot_of(family?)));
    // SAFETY: requirement 1 is that of `fill`, and `mm_family_stats` begins as a `Head` does.
    status(unsafe { fill(stats, figures) })
}

/// The first fields of both structs.
#[derive(Clone, Copy)]
#[repr(C)]
struct Head {
    size: usize,
    version: u32,
}

/// Writes as many bytes of the figures as the caller's struct holds, then zeros up to its end.
///
/// # Safety
///
/// 1. `stats` is null, or begins with a `usize`, the size. That many bytes can be read and written
///    there.
/// 2. If the size is at least that of a `Head`, the bytes begin with one; and so does `T`.
unsafe fn fill<T>(stats: *mut T, figures: impl FnOnce() -> Answer<T>) -> Answer<()> {
    if stats.is_null() {
        return Err(refuse(Refused::Argument("the struct for figures is NULL")));
    }
    // SAFETY: by requirement 1 the size is there.
    let size = unsafe { stats.cast::<usize>().read_unaligned() };
    let asked = if size < size_of::<Head>() {
        None
    } else {
        // SAFETY: by requirement 2 a `Head` is there.
        Some(unsafe { stats.cast::<Head>().read_unaligned() })
    };
    let Some(asked) = asked.filter(|asked| asked.version != 0) else {
        return Err(refuse(Refused::Argument(
            "the struct for figures has no size or no version",
        )));
    };
    let figures = figures()?;
    let known = asked.size.min(size_of::<T>());
    let bytes = stats.cast::<u8>();
    // SAFETY: by requirement 1 `asked.size` bytes can be written, and `figures` has as many bytes as a
    // `T`. `known` is the smaller of both.
    unsafe { bytes.copy_from_nonoverlapping((&raw const figures).cast(), known) };
    let rest = bytes.wrapping_add(known);
    // SAFETY: by requirement 1 `asked.size` bytes can be written from `bytes` on.
    unsafe { rest.write_bytes(0, asked.size - known) };
    let version = asked.version.min(MM_STATS_VERSION);
    // One field at a time: a `Head` ends with padding where the structs have a field.
    // SAFETY: by requirement 2 a `Head` is there, which begins with a `usize`.
    unsafe { bytes.cast::<usize>().write_unaligned(asked.size) };
    let place = bytes.wrapping_add(offset_of!(Head, version));
    // SAFETY: by requirement 2 a `Head` is there, and `offset_of` gives the place of its `version`.
    unsafe { place.cast::<u32>().write_unaligned(version) };
    Ok(())
}

/// Returns the value for C of a figure that only the system knows.
fn measured(bytes: Option<u64>) -> u64 {
    bytes.unwrap_or(MM_NOT_MEASURED)
}

impl From<&Snapshot> for mm_stats {
    fn from(all: &Snapshot) -> Self {
        Self {
            size: 0,
            version: 0,
            resident_is_measured: all.resident_is_measured.into(),
            families: all.families.len() as u64,
            os_page_bytes: all.os_page_bytes,
            process_resident_bytes: measured(all.process_resident_bytes),
            records_resident_bytes: measured(all.records_resident_bytes),
            vm_pages: all.vm_pages(),
            mapped_bytes: all.mapped_bytes(),
            resident_bytes: measured(all.resident_bytes()),
            live_blocks: all.live_blocks(),
            live_units: all.live_units(),
            live_bytes: all.live_bytes(),
            cached_units: all.cached_units(),
            cached_bytes: all.cached_bytes(),
            blocks_allocated: all.blocks_allocated(),
            blocks_released: all.blocks_released(),
            kernel_calls: all.kernel_calls(),
            reclaimable_bytes: all.reclaimable_bytes(),
        }
    }
}

impl From<&FamilySnapshot> for mm_family_stats {
    fn from(family: &FamilySnapshot) -> Self {
        Self {
            size: 0,
            version: 0,
            run_time: family.run_time.into(),
            unit_size: family.unit_size,
            unit_align: family.unit_align,
            units_per_page: family.units_per_page,
            vm_pages: family.vm_pages,
            mapped_bytes: family.mapped_bytes,
            resident_bytes: measured(family.resident_bytes),
            live_blocks: family.live_blocks,
            live_units: family.live_units,
            live_bytes: family.live_bytes,
            free_blocks: family.free_blocks,
            free_units: family.free_units,
            cached_units: family.cached_units,
            peak_live_bytes: family.peak_live_bytes,
            blocks_allocated: family.blocks_allocated,
            blocks_released: family.blocks_released,
            kernel_calls: family.kernel_calls,
            largest_free_block: family.largest_free_block(),
            reclaimable_bytes: family.reclaimable_bytes,
            first_page_units: family.first_page_units,
            requested_bytes: family.requested_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::FAMILY_FIGURES;

    /// More words than the struct has. Each is `FILLED` at the start.
    type Words = [u64; 40];
    const FILLED: u64 = 0x5555_5555_5555_5555;
    const WORDS: usize = size_of::<mm_stats>() / size_of::<u64>();

    /// Returns the status and the words that a program gets whose struct has this size and version.
    fn asked(size: usize, version: u32) -> (mm_status, Words) {
        let mut words = [FILLED; 40];
        let head = words.as_mut_ptr().cast::<Head>();
        // SAFETY: `words` is longer than a `Head`.
        unsafe { head.write_unaligned(Head { size, version }) };
        // SAFETY: the tests ask for no `size` that is larger than `words`.
        let answer = unsafe { mm_stats(words.as_mut_ptr().cast()) };
        (answer, words)
    }

    fn head_of(words: &Words) -> Head {
        // SAFETY: `words` is longer than a `Head`, and any bytes are a value of that type.
        unsafe { words.as_ptr().cast::<Head>().read_unaligned() }
    }

    #[test]
    fn an_older_program_gets_what_it_knows() {
        for known in [2, 3, 5, WORDS] {
            let (answer, words) = asked(known * 8, 1);
            assert_eq!(answer, mm_status::MM_OK);
            assert_eq!(
                (head_of(&words).size, head_of(&words).version),
                (known * 8, 1)
            );
            assert!(words[2..known].iter().all(|word| *word != FILLED));
            assert!(words[known..].iter().all(|word| *word == FILLED));
        }
        let os_pages = asked(4 * 8, 1).1[3];
        assert_eq!(os_pages, snapshot().os_page_bytes);
    }

    #[test]
    fn a_newer_program_gets_zeros() {
        let (answer, words) = asked((WORDS + 3) * 8, 7);
        assert_eq!(answer, mm_status::MM_OK);
        assert_eq!(head_of(&words).version, MM_STATS_VERSION);
        assert_eq!(words[WORDS..WORDS + 3], [0; 3]);
        assert!(words[WORDS + 3..].iter().all(|word| *word == FILLED));
        assert!(words[2..WORDS].iter().all(|word| *word != FILLED));
    }

    #[test]
    fn a_struct_without_size_or_version_is_refused() {
        for (size, version) in [(0, 1), (size_of::<usize>(), 1), (WORDS * 8, 0)] {
            let (answer, words) = asked(size, version);
            assert_eq!(answer, mm_status::MM_BAD_ARGUMENT);
            assert!(words[2..].iter().all(|word| *word == FILLED));
        }
    }

    /// Figures that programs in C do not get.
    const NOT_IN_C: [&str; 2] = ["occupied_page_bytes", "occupied_page_free_bytes"];

    /// Returns the documentation and the name of each field of `struct mm_family_stats` in the header.
    fn fields_in_header() -> Vec<(String, String)> {
        let header = include_str!("../../../include/mm_api.h");
        let start = "\nstruct mm_family_stats {";
        let (_, rest) = header.split_once(start).expect("the struct");
        let (body, _) = rest.split_once("\n};").expect("the end of the struct");
        let fields = body.split("/**").skip(1).map(|field| {
            let (help, declaration) = field.split_once("*/").expect("the end of a comment");
            let words = help.split_whitespace().filter(|word| *word != "*");
            let name = declaration.split_once(';').expect("a declaration").0;
            let name = name.rsplit(' ').next().expect("a name");
            (words.collect::<Vec<_>>().join(" "), name.to_owned())
        });
        fields.collect()
    }

    /// Each figure of the table is a field of the struct, has its value, and is described alike.
    #[test]
    fn the_struct_of_a_family_has_all_figures() {
        let mut family = crate::snapshot::samples::family("A", "a::A");
        let mut numbers = 901..;
        family.set_figures(|| numbers.next().expect("there is no end"));
        let stats = mm_family_stats::from(&family);
        // SAFETY: `mm_family_stats` is `repr(C)`, and has a `usize`, two `u32` and `u64`s: words
        // without padding.
        let words: [u64; size_of::<mm_family_stats>() / 8] = unsafe { core::mem::transmute(stats) };
        let fields = fields_in_header();
        // `version` and `run_time` share a word.
        assert_eq!(fields.len(), words.len() + 1);
        for figure in FAMILY_FIGURES
            .iter()
            .filter(|figure| !NOT_IN_C.contains(&figure.name))
        {
            let at = fields.iter().position(|(_, name)| name == figure.name);
            let at = at.unwrap_or_else(|| panic!("`{}` is not in the struct", figure.name));
            assert_eq!(Some(words[at - 1]), (figure.of)(&family), "{}", figure.name);
            let (help, wanted) = (&fields[at].0, figure.help.to_string());
            assert!(help.starts_with(&wanted), "{}: {help}", figure.name);
        }
    }
}
