//! The place of a call in a C program, and messages about errors there.

use core::ffi::{CStr, c_char};
use core::fmt::{self, Display, Formatter};
use core::marker::PhantomData;
use std::borrow::Cow;

use crate::heap::{Caller, Origin, kept_file};
use crate::os::process;
use crate::shown::Shown;
use crate::snapshot::Location;

/// The place of a call.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// File and line, which a macro of the headers passed.
    Line(File<'a>, u32),
    /// The function that was called. Nothing more is known without a macro.
    Function(&'static str),
}

/// The name of a source file. Its length is not computed before it is needed.
///
/// # Invariants
///
/// 1. The pointer is null or a C string that stays for `'a`.
#[derive(Clone, Copy)]
pub(super) struct File<'a>(*const c_char, PhantomData<&'a CStr>);

impl File<'_> {
    /// Returns the name as text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        // SAFETY: invariant 1 is what `text` requires, for longer than `self` is borrowed.
        unsafe { text(self.0) }.to_string_lossy()
    }
}

impl Place<'_> {
    /// Returns the place of a line in a source file.
    ///
    /// # Safety
    ///
    /// 1. `file` is null or a C string that stays as it is while the place is used.
    #[inline]
    pub(super) unsafe fn line(file: *const c_char, line: u32) -> Self {
        Self::Line(File(file, PhantomData), line)
    }

    /// Writes one line to standard error.
    #[cold]
    pub(super) fn report_misuse(&self, what: impl Display) {
        process::write_last_line(format_args!("{self}: {what}"));
    }
}

impl Caller for Place<'_> {
    fn origin(&self) -> Origin {
        match self {
            Self::Line(file, line) => Origin {
                file: kept_file(&file.text()),
                line: *line,
                column: 0,
            },
            Self::Function(name) => Origin {
                file: name,
                line: 0,
                column: 0,
            },
        }
    }

    /// C functions cannot unwind.
    fn can_unwind(&self) -> bool {
        false
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{}:{line}", Shown(&file.text())),
            Self::Function(name) => f.write_str(name),
        }
    }
}

/// Returns a C string, or an empty one for null.
///
/// # Safety
///
/// 1. `text` is null, or ends with a zero byte and stays as it is for `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char) -> &'a CStr {
    if text.is_null() {
        return c"";
    }
    // SAFETY: `is_null` ruled null out. So by requirement 1 `text` ends with a zero byte and stays as
    // it is for `'a`.
    unsafe { CStr::from_ptr(text) }
}

/// Returns the place as the location of a family's definition.
pub(super) fn location(place: Place<'_>) -> Location {
    match place {
        Place::Line(file, line) => Location::new(kept_file(&file.text()), line, 0, ""),
        Place::Function(name) => Location::new(name, 0, 0, ""),
    }
}
