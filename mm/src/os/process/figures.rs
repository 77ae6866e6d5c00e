//! The kernel's figures: resident bytes of the process, memory of the machine, and limits.

use core::str::SplitAsciiWhitespace;
use std::fs::File;
use std::io::Read;

#[cfg(all(target_os = "linux", not(mm_portable)))]
use crate::os::lock::OnceLock;
use crate::os::{PageSource, System};

/// Returns the resident bytes of the process, from `/proc/self/statm`; `None` if the system does not report
/// them.
///
/// Source: `proc_pid_statm(5)`: the second number counts OS pages.
pub(crate) fn resident_bytes() -> Option<u64> {
    let pages = number_in("/proc/self/statm", |words| {
        words.next();
    })?;
    Some((pages * System::page_bytes()) as u64)
}

/// Returns the resident bytes of the process, added up from its mappings. The sum is exact, whereas `statm`
/// may be off by some pages for each CPU. The call takes about a hundred nanoseconds for each OS page.
///
/// Source: `proc_pid_smaps(5)`: `Rss` is in KiB.
pub(crate) fn resident_bytes_by_mapping() -> Option<u64> {
    let kib = number_in("/proc/self/smaps_rollup", |words| {
        words.find(|word| *word == "Rss:");
    })?;
    Some((kib as u64) << 10)
}

/// Returns the number that follows the words which `skip` takes, in a file of the kernel. It reads the first
/// 256 bytes only, and does not allocate.
fn number_in(path: &str, skip: impl FnOnce(&mut SplitAsciiWhitespace<'_>)) -> Option<usize> {
    let mut text = [0_u8; 256];
    let length = File::open(path).and_then(|mut file| file.read(&mut text));
    let text = core::str::from_utf8(&text[..length.ok()?]).ok()?;
    let mut words = text.split_ascii_whitespace();
    skip(&mut words);
    words.next()?.parse().ok()
}

/// Returns the bytes of memory and swap of the machine, in use or not. Source: sysinfo(2).
///
/// The kernel's heuristic overcommit refuses a single mapping that is larger (`overcommit_memory` in
/// proc(5)). It does not refuse one without access rights, and mm reserves such mappings.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn memory_bytes() -> usize {
    static KNOWN: OnceLock<usize> = OnceLock::new();
    *KNOWN.get_or_init(|| ask_memory_bytes().unwrap_or(usize::MAX))
}

/// Returns the largest number: elsewhere the system itself refuses.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn memory_bytes() -> usize {
    usize::MAX
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
fn ask_memory_bytes() -> Option<usize> {
    let mut info = core::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: `info` has room for what `sysinfo` fills.
    if unsafe { libc::sysinfo(info.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: `zeroed` made all bytes, `sysinfo` filled them, and the fields are integers.
    let info = unsafe { info.assume_init() };
    let units = info.totalram.saturating_add(info.totalswap);
    let bytes = usize::try_from(units.saturating_mul(u64::from(info.mem_unit))).ok();
    // No machine has 0 bytes. The call succeeded then, but filled nothing in.
    bytes.filter(|bytes| *bytes > 0)
}

/// Returns the most mappings that a process can have. Source: `max_map_count` in `proc_sys_vm(5)`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn most_mappings() -> usize {
    /// The kernel's default.
    const DEFAULT: usize = 65_530;
    static KNOWN: OnceLock<usize> = OnceLock::new();
    *KNOWN.get_or_init(|| number_in("/proc/sys/vm/max_map_count", |_| ()).unwrap_or(DEFAULT))
}

/// Returns the largest number: mm counts no mappings elsewhere.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn most_mappings() -> usize {
    usize::MAX
}

/// Whether the kernel gives out more memory than there is, so that it accounts for no mapping with
/// `MAP_NORESERVE`; false if it does not say so. Source: `overcommit_memory` in `proc_sys_vm(5)`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn overcommits() -> bool {
    number_in("/proc/sys/vm/overcommit_memory", |_| ()).is_some_and(|mode| mode != 2)
}

/// Returns the process's limit of address space in bytes, if it has one. Source: getrlimit(2).
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn address_space_limit() -> Option<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: `limit` is a value of the type that `getrlimit` fills.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    if answer != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return None;
    }
    usize::try_from(limit.rlim_cur).ok()
}

/// Returns `None`: elsewhere no limit is known.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn address_space_limit() -> Option<usize> {
    None
}
