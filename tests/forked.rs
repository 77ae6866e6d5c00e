//! Support for tests with a forked child, and its output.

use std::os::unix::process::ExitStatusExt;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitStatus;

/// A child that takes longer hangs, and is ended by the kernel.
const SECONDS: u32 = 20;

/// Exit code of a child that panicked.
const PANICKED: i32 = 101;

/// Forks, and has the child `look`, which returns its exit code.
///
/// # Panics
///
/// If there can be no child.
pub fn in_a_child(look: impl FnOnce() -> i32) -> ExitStatus {
    // SAFETY: the child goes on with mm, whose handlers see to its locks, and with the C
    // library's allocator, whose own handlers do.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: no handler is asked for: a child that hangs is ended.
        unsafe { libc::alarm(SECONDS) };
        // A panic would unwind into the test harness, whose thread the child is, and end it well.
        let code = panic::catch_unwind(AssertUnwindSafe(look)).unwrap_or(PANICKED);
        // SAFETY: ends the child at once, without the parent's handlers.
        unsafe { libc::_exit(code) };
    }
    let mut status = -1;
    // SAFETY: the child is ours and `status` is an int.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    ExitStatus::from_raw(status)
}
