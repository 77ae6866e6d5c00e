//! The results of calls, as numbers for C.

use core::ffi::{CStr, c_char, c_int};

use crate::error::{AllocError, FreeError, RegisterError};

/// The result of a call. The numbers stay the same; later versions may add some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum mm_status {
    /// The call succeeded.
    MM_OK = 0,
    /// An argument is invalid: a required pointer is `NULL`, a number is out of range, or a name is
    /// empty or not UTF-8.
    MM_BAD_ARGUMENT = 1,
    /// The kernel has no more memory for the process.
    MM_OUT_OF_MEMORY = 2,
    /// The number of units is larger than any block can be.
    MM_SIZE_OVERFLOW = 3,
    /// The family, or its limit group, would exceed its limit.
    MM_OVER_LIMIT = 4,
    /// The address belongs to no page family.
    MM_FOREIGN = 5,
    /// The address lies in the memory of a page family, but no block starts there.
    MM_INTERIOR = 6,
    /// No live block is at the address: it was released already, or never handed out.
    MM_NOT_LIVE = 7,
    /// The block belongs to another family than the given one.
    MM_WRONG_FAMILY = 8,
    /// A family with this name is registered already.
    MM_DUPLICATE_NAME = 9,
    /// The size or the alignment is invalid, or differs from that of the family.
    MM_BAD_LAYOUT = 10,
    /// No family has this name or path.
    MM_UNKNOWN_NAME = 11,
    /// Several families have this name. Use a path or a key instead.
    MM_AMBIGUOUS_NAME = 12,
    /// A figure differs from the one derived from the pages: mm's records are damaged.
    MM_INCONSISTENT = 13,
}

use mm_status::{
    MM_AMBIGUOUS_NAME, MM_BAD_ARGUMENT, MM_BAD_LAYOUT, MM_DUPLICATE_NAME, MM_FOREIGN,
    MM_INCONSISTENT, MM_INTERIOR, MM_NOT_LIVE, MM_OK, MM_OUT_OF_MEMORY, MM_OVER_LIMIT,
    MM_SIZE_OVERFLOW, MM_UNKNOWN_NAME, MM_WRONG_FAMILY,
};

/// All statuses. Each is at the index of its number.
const ALL: [mm_status; 14] = [
    MM_OK,
    MM_BAD_ARGUMENT,
    MM_OUT_OF_MEMORY,
    MM_SIZE_OVERFLOW,
    MM_OVER_LIMIT,
    MM_FOREIGN,
    MM_INTERIOR,
    MM_NOT_LIVE,
    MM_WRONG_FAMILY,
    MM_DUPLICATE_NAME,
    MM_BAD_LAYOUT,
    MM_UNKNOWN_NAME,
    MM_AMBIGUOUS_NAME,
    MM_INCONSISTENT,
];

/// Returns the meaning of a status in a few words. The text stays valid for ever.
///
/// For a number that is no status, the text says so.
#[unsafe(no_mangle)]
pub extern "C" fn mm_status_text(status: c_int) -> *const c_char {
    let known = usize::try_from(status)
        .ok()
        .and_then(|status| ALL.get(status));
    known
        .map_or(c"no status of mm", |status| status.text())
        .as_ptr()
}

impl mm_status {
    fn text(self) -> &'static CStr {
        match self {
            MM_OK => c"ok",
            MM_BAD_ARGUMENT => c"bad argument",
            MM_OUT_OF_MEMORY => c"out of memory",
            MM_SIZE_OVERFLOW => c"size overflow",
            MM_OVER_LIMIT => c"over the limit",
            MM_FOREIGN => c"address of no page family",
            MM_INTERIOR => c"no block starts at the address",
            MM_NOT_LIVE => c"no live block at the address",
            MM_WRONG_FAMILY => c"block of another page family",
            MM_DUPLICATE_NAME => c"name is taken",
            MM_BAD_LAYOUT => c"bad size or alignment",
            MM_UNKNOWN_NAME => c"no page family of this name",
            MM_AMBIGUOUS_NAME => c"several page families of this name",
            MM_INCONSISTENT => c"figures differ",
        }
    }
}

impl From<&AllocError> for mm_status {
    fn from(error: &AllocError) -> Self {
        match error {
            AllocError::SizeOverflow { .. } => MM_SIZE_OVERFLOW,
            AllocError::OutOfMemory { .. } => MM_OUT_OF_MEMORY,
            AllocError::QuotaExceeded { .. } => MM_OVER_LIMIT,
        }
    }
}

impl From<&FreeError> for mm_status {
    fn from(error: &FreeError) -> Self {
        match error {
            FreeError::Foreign { .. } => MM_FOREIGN,
            FreeError::Interior { .. } => MM_INTERIOR,
            FreeError::NotLive { .. } => MM_NOT_LIVE,
            FreeError::WrongFamily { .. } => MM_WRONG_FAMILY,
        }
    }
}

impl From<&RegisterError> for mm_status {
    fn from(error: &RegisterError) -> Self {
        match error {
            RegisterError::DuplicateName { .. } => MM_DUPLICATE_NAME,
            RegisterError::BadLayout { .. } => MM_BAD_LAYOUT,
            RegisterError::OutOfMemory => MM_OUT_OF_MEMORY,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn text(status: c_int) -> &'static str {
        // SAFETY: `mm_status_text` returns a C string that stays for ever.
        let text = unsafe { CStr::from_ptr(mm_status_text(status)) };
        text.to_str().expect("text")
    }

    #[test]
    fn each_status_is_at_its_number() {
        for (number, status) in ALL.into_iter().enumerate() {
            assert_eq!(status as usize, number);
        }
    }

    #[test]
    fn each_status_has_a_text_of_its_own() {
        let texts: HashSet<_> = (0..14).map(text).collect();
        assert_eq!(texts.len(), ALL.len());
        assert_eq!((text(0), text(4)), ("ok", "over the limit"));
    }

    #[test]
    fn a_number_that_is_no_status_gets_a_text() {
        for number in [-1, 14, c_int::MAX, c_int::MIN] {
            assert_eq!(text(number), "no status of mm");
        }
    }
}
