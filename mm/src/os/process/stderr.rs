//! Lines on standard error.

use core::fmt;

use crate::os::output::write_text;

/// Writes a line to standard error, or drops it if standard error is closed.
///
/// It does not take the lock of `std::io::stderr`. The thread that holds that lock may wait for a lock or a
/// thread of mm, or may not exist in a forked child.
#[cfg(unix)]
pub(crate) fn write_last_line(what: fmt::Arguments<'_>) {
    use std::fs::File;
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd;

    // SAFETY: 2 is standard error, and `ManuallyDrop` keeps it open. If the program closed it, writes fail,
    // or go where the program sent them.
    let stderr = ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    // `write_text` makes one write of the line, so that lines of several threads do not mix. It does not
    // panic if standard error is closed.
    write_text(&*stderr, format_args!("mm: {what}\n"));
}

/// Writes a line to standard error, or drops it if standard error is closed.
#[cfg(not(unix))]
pub(crate) fn write_last_line(what: fmt::Arguments<'_>) {
    write_text(std::io::stderr(), format_args!("mm: {what}\n"));
}
