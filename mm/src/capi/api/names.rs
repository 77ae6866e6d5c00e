//! Names of families as strings of C. Those of types are none in Rust.

use core::ffi::CStr;

use super::last_error::{Answer, refuse};
use crate::error::RegisterError;
use crate::family::{CNames, PageFamily};
use crate::heap::RECORDS;

/// The names of a family, which are copied the first time, and stay.
pub(super) fn names_of(family: &'static PageFamily) -> Answer<&'static CNames> {
    if let Some(known) = family.c_names.get() {
        return Ok(known);
    }
    let new = make(family).ok_or_else(|| refuse(RegisterError::OutOfMemory))?;
    // Another thread may have made some meanwhile, and given them away: both stay.
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

/// A copy that ends with a zero byte: the first there is.
fn copied(text: &str) -> Option<&'static CStr> {
    let bytes = [text.as_bytes(), &[0]].concat();
    CStr::from_bytes_until_nul(RECORDS.copied(&bytes).ok()?).ok()
}
