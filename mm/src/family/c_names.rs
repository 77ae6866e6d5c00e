//! Names of families as C strings.

use core::ffi::CStr;

/// Name, path and key of a family, each with a zero byte at its end.
#[derive(Debug)]
pub(crate) struct CNames {
    pub(crate) name: &'static CStr,
    pub(crate) path: &'static CStr,
    pub(crate) key: &'static CStr,
}
