//! Tracking, the report at exit, trimming and checking.

use core::ffi::c_int;

use super::family::{family_at, mm_family};
use super::last_error::{refuse, status};
use super::refused::Refused;
use super::status::mm_status;
use crate::track::Track;
use crate::{check, report_leaks_at_exit, track, trim};

/// Records call site, thread and time of one allocation in `sample_interval`, in each family. Reports
/// of leaks then show them.
///
/// 1 records all allocations. 0 stops recording and discards what was recorded. While a family is
/// tracked, each of its allocations and releases takes a lock.
#[unsafe(no_mangle)]
pub extern "C" fn mm_track(sample_interval: u32) {
    track(tracking(sample_interval));
}

/// Does what `mm_track` does, for one family.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_track(
    family: *mut mm_family,
    sample_interval: u32,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    status(unsafe { family_at(family) }.map(|family| family.track(tracking(sample_interval))))
}

/// Makes the process report leaks to standard error when it ends. If nothing is live, it prints
/// nothing.
///
/// If `exit_code` is not 0, a process that leaks and would end with status 0 ends with that code.
/// Functions that were registered with `atexit` earlier are then not called.
///
/// Fails with `MM_BAD_ARGUMENT` if `exit_code` is not from 0 to 255.
#[unsafe(no_mangle)]
pub extern "C" fn mm_report_leaks_at_exit(exit_code: c_int) -> mm_status {
    let code = u8::try_from(exit_code);
    let code =
        code.map_err(|_| refuse(Refused::Argument("an exit code is a number from 0 to 255")));
    status(code.map(|code| report_leaks_at_exit().exit_code(code)))
}

/// Returns unused memory to the kernel. The result is the number of bytes returned, in whole OS pages.
///
/// Other threads flush their caches at their next call; a later `mm_trim` returns that memory.
#[unsafe(no_mangle)]
pub extern "C" fn mm_trim() -> usize {
    trim()
}

/// Walks all VM pages and caches, derives all figures again, and compares them. The result is exact
/// while no other thread allocates or releases. The time grows with the heap.
///
/// Returns `MM_INCONSISTENT` if figures differ; `mm_last_error` then says which.
#[unsafe(no_mangle)]
pub extern "C" fn mm_check() -> mm_status {
    status(check().map_err(refuse))
}

fn tracking(sample_interval: u32) -> Track {
    match sample_interval {
        0 => Track::Off,
        _ => Track::Every(sample_interval),
    }
}
