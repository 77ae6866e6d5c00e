//! Reports as texts, which are the caller's to release.

use core::ffi::c_char;
use std::ffi::CString;

use super::super::report;
use crate::{leaks, profile, snapshot};

/// Returns every figure of every family as JSON; `mm/schemas/snapshot.schema.json` says what is in
/// it. To be released by `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_snapshot_json() -> *mut c_char {
    text(snapshot().to_json())
}

/// Returns what is live of every family, and who allocated it, as JSON; `mm/schemas/profile.schema.json`
/// says what is in it. To be released by `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_profile_json() -> *mut c_char {
    text(profile().to_json())
}

/// Returns what is live, and who allocated it as far as that was recorded (see `mm_track`), for people
/// to read; an empty text if nothing is live. To be released by `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_leaks_text() -> *mut c_char {
    let leaks = leaks();
    let none = leaks.is_empty();
    text(if none {
        String::new()
    } else {
        leaks.to_string()
    })
}

/// Returns every figure in the format OpenMetrics, for Prometheus and the like. To be released by
/// `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_openmetrics() -> *mut c_char {
    text(snapshot().openmetrics().to_string())
}

/// Releases a text that mm returned. `NULL` is none.
///
/// # Safety
///
/// 1. `text` is null, or mm returned it for the program to release.
/// 2. The program does not use the text any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_text_release(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: by requirement 1 `CString::into_raw` gave `text`, and by requirement 2 only this uses it.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Prints what `mm_leaks_text` returns to `stdout`, with a line end; nothing if nothing is live.
#[unsafe(no_mangle)]
pub extern "C" fn mm_print_leaks() {
    let leaks = leaks();
    if !leaks.is_empty() {
        report::print(&format_args!("{leaks}\n"));
    }
}

/// Makes a string of C; names of Rust may have a zero byte in them.
fn text(text: String) -> *mut c_char {
    let text = CString::new(text).or_else(|refused| {
        let text = String::from_utf8_lossy(&refused.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text)
    });
    text.unwrap_or_default().into_raw()
}
