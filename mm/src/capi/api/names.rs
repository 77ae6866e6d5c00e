//! Names of families as C strings. Rust's own names have no zero byte at the end, so they are copied.

use core::ffi::CStr;

use super::last_error::{Answer, refuse};
use crate::error::RegisterError;
use crate::family::{CNames, PageFamily};
use crate::heap::RECORDS;

/// Returns a family's names as C strings. The first call makes the copies, which are never freed.
pub(super) fn names_of(family: &'static PageFamily) -> Answer<&'static CNames> {
    if let Some(known) = family.c_names.get() {
        return Ok(known);
    }
    let new = make(family).ok_or_else(|| refuse(RegisterError::OutOfMemory))?;
    // Another thread may have made copies at the same time and returned them, so both stay.
    family.c_names.set(Some(new));
    Ok(new)
}

fn make(family: &'static PageFamily) -> Option<&'static CNames> {
    let name = copied(family.name())?;
    let path = match family.path() {
        path if path == family.name() => name,
        path => copied(path)?,
    };
    let key = copied(&family.key().to_string())?;
    RECORDS.place(CNames { name, path, key }).ok()
}

/// Returns a copy that ends at the first zero byte of the text, or gets one at its end.
fn copied(text: &str) -> Option<&'static CStr> {
    let bytes = [text.as_bytes(), &[0]].concat();
    CStr::from_bytes_until_nul(RECORDS.copied(&bytes).ok()?).ok()
}
