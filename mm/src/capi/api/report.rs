//! Reports as texts. The caller releases them.

use core::ffi::c_char;
use std::ffi::CString;

use super::super::report;
use crate::{leaks, profile, snapshot};

/// Returns all figures of all families as JSON. `mm/schemas/snapshot.schema.json` describes it. Release
/// the text with `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_snapshot_json() -> *mut c_char {
    text(snapshot().to_json())
}

/// Returns the live memory of each family and its call sites as JSON. `mm/schemas/profile.schema.json`
/// describes it. Release the text with `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_profile_json() -> *mut c_char {
    text(profile().to_json())
}

/// Returns a report of leaks for people: the live blocks of each family, and the call sites that
/// `mm_track` recorded. The text is empty if nothing is live. Release it with `mm_text_release`.
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

/// Returns all figures in the OpenMetrics format, for Prometheus and similar tools. Release the text
/// with `mm_text_release`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_openmetrics() -> *mut c_char {
    text(snapshot().openmetrics().to_string())
}

/// Releases a text that mm returned. For `NULL` it does nothing.
///
/// # Safety
///
/// 1. `text` is null, or one of the functions above returned it.
/// 2. The program does not use the text any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_text_release(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: by requirement 1 `CString::into_raw` gave `text`, and by requirement 2 nothing else
        // uses it.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Prints the text of `mm_leaks_text` and a line end to `stdout`. Prints nothing if nothing is live.
#[unsafe(no_mangle)]
pub extern "C" fn mm_print_leaks() {
    let leaks = leaks();
    if !leaks.is_empty() {
        report::print(&format_args!("{leaks}\n"));
    }
}

/// Returns the text as a C string. A zero byte, which a name in Rust may have, becomes U+FFFD.
fn text(text: String) -> *mut c_char {
    let text = CString::new(text).or_else(|refused| {
        let text = String::from_utf8_lossy(&refused.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text)
    });
    text.unwrap_or_default().into_raw()
}
