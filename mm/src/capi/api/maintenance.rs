//! What a program may have mm do besides.

use core::ffi::c_int;

use super::family::{family_at, mm_family};
use super::last_error::{Refused, refuse, status};
use super::status::mm_status;
use crate::track::Track;
use crate::{check, report_leaks_at_exit, track, trim};

/// Records who allocates, for reports of leaks: place in the source, thread and time, of one block in
/// `every` of each family. 1 is each, 0 none, and forgets what was recorded.
///
/// While it is recorded, each call takes a lock.
#[unsafe(no_mangle)]
pub extern "C" fn mm_track(every: u32) {
    track(which(every));
}

/// The same for one family.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_track(family: *mut mm_family, every: u32) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    status(unsafe { family_at(family) }.map(|family| family.track(which(every))))
}

/// Has the process report what is live when it ends, to standard error, if anything is. If `exit_code`
/// is not 0, it then ends with this one, and functions given to `atexit` before are not called.
///
/// Refused with `MM_BAD_ARGUMENT` if the code is not from 0 to 255.
#[unsafe(no_mangle)]
pub extern "C" fn mm_report_leaks_at_exit(exit_code: c_int) -> mm_status {
    let code = u8::try_from(exit_code);
    let code =
        code.map_err(|_| refuse(Refused::Argument("an exit code is a number from 0 to 255")));
    status(code.map(|code| report_leaks_at_exit().exit_code(code)))
}

/// Gives back to the kernel what can be given back; returns how many bytes that were, in whole OS pages.
///
/// What the caches of other threads hold is given back after their next call.
#[unsafe(no_mangle)]
pub extern "C" fn mm_trim() -> usize {
    trim()
}

/// Walks all VM pages and caches, derives every figure again, and compares. Exact while no other thread
/// allocates or releases; takes time in proportion to the heap.
///
/// Answers `MM_INCONSISTENT` if figures differ: `mm_last_error` says which.
#[unsafe(no_mangle)]
pub extern "C" fn mm_check() -> mm_status {
    status(check().map_err(refuse))
}

fn which(every: u32) -> Track {
    match every {
        0 => Track::Off,
        _ => Track::Every(every),
    }
}
