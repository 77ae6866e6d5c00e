//! Handlers that the C library calls at a fork and at the end of the process, and the signals that can have
//! one.

/// Installs fork handlers. `prepare` runs before every fork, `parent` and `child` after it in the two
/// processes.
///
/// The handlers that are installed last run first before a fork, and last after it. If memory is short,
/// none are installed, and forks leave the locks as they are. Source: `pthread_atfork(3)`.
///
/// # Safety
///
/// 1. `parent` and `child` require no more than this: the thread that calls them called `prepare`, or is the
///    copy of the thread that did.
#[cfg(unix)]
pub(crate) unsafe fn at_fork(
    prepare: extern "C" fn(),
    parent: unsafe extern "C" fn(),
    child: unsafe extern "C" fn(),
) {
    // SAFETY: with `pthread_atfork`, the thread that forks calls `prepare` and `parent`, and its copy calls
    // `child`. By requirement 1 they require no more. The functions exist as long as this code.
    let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Does nothing: other systems do not fork.
///
/// # Safety
///
/// 1. `parent` and `child` require no more than this: the thread that calls them called `prepare`, or is the
///    copy of the thread that did.
#[cfg(not(unix))]
pub(crate) unsafe fn at_fork(
    _prepare: extern "C" fn(),
    _parent: unsafe extern "C" fn(),
    _child: unsafe extern "C" fn(),
) {
}

/// Work for the end of the process: at `exit`, or when `main` returns. It does not panic.
pub(crate) trait AtExit {
    /// Does the work. `status` is the exit status of the process, if the C library reports it.
    ///
    /// # Safety
    ///
    /// 1. The C library calls it as a handler of [`at_exit`], on the thread that ends the process.
    unsafe fn run(status: Option<i32>);
}

/// Registers `A` to run at the end of the process. If memory is short, it is not registered.
///
/// Source: `on_exit(3)`. Only glibc has it, and it reports the status.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn at_exit<A: AtExit>() {
    use core::ffi::{c_int, c_void};
    unsafe extern "C" {
        fn on_exit(f: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn run<A: AtExit>(status: c_int, _: *mut c_void) {
        // SAFETY: only the call of `on_exit` below passes `run` on, and the C library calls it when the
        // process ends.
        unsafe { A::run(Some(status)) };
    }
    // If this library were unloaded before the end of the process, `run` would stay on the list.
    crate::os::stay_loaded();
    // SAFETY: `run` ignores its argument, and `stay_loaded` keeps it loaded until the process ends.
    let _ = unsafe { on_exit(run::<A>, core::ptr::null_mut()) };
}

/// Registers `A` to run at the end of the process. If memory is short, it is not registered.
///
/// Source: atexit(3), which does not report the status.
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
pub(crate) fn at_exit<A: AtExit>() {
    extern "C" fn run<A: AtExit>() {
        // SAFETY: only the call of `atexit` below passes `run` on, and the C library calls it when the
        // process ends.
        unsafe { A::run(None) };
    }
    // SAFETY: `run` takes no argument, and exists as long as this code.
    let _ = unsafe { libc::atexit(run::<A>) };
}

/// Does nothing: other systems have no such call.
#[cfg(not(unix))]
pub(crate) fn at_exit<A: AtExit>() {}

/// Replaces the exit code while the process ends. The exit handlers that are left still run.
///
/// glibc continues with them, and calls each once. Source: `__run_exit_handlers`, and NOTES in atexit(3).
///
/// # Safety
///
/// 1. The calling thread runs a handler of [`at_exit`], which the C library called, and this call is the
///    last step of the handler.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    // SAFETY: by requirement 1 this is the thread that ends the process, inside a handler. There glibc
    // allows a second call of `exit`.
    unsafe { libc::exit(code.into()) }
}

/// Replaces the exit code while the process ends. Buffered output of C is still written; the exit handlers
/// that are left do not run.
///
/// # Safety
///
/// 1. The calling thread runs a handler of [`at_exit`], which the C library called, and this call is the
///    last step of the handler.
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    // SAFETY: with a null pointer `fflush` writes the buffers of all open files.
    unsafe { libc::fflush(core::ptr::null_mut()) };
    // SAFETY: `_exit` may be called at any time, on any thread.
    unsafe { libc::_exit(code.into()) }
}

/// Ends the process with another exit code. No handler calls this, since [`at_exit`] registers none here.
///
/// # Safety
///
/// 1. The calling thread runs a handler of [`at_exit`], which the C library called, and this call is the
///    last step of the handler.
#[cfg(not(unix))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Whether the system has the signal and lets programs handle it. Source: EINVAL in `sigaction(2)`. The C
/// library keeps some signals for itself.
#[cfg(all(unix, feature = "signal"))]
pub(crate) fn has_signal(signal: i32) -> bool {
    // SAFETY: `sigaction` consists of numbers and of pointers that may be null, so that `zeroed` makes a
    // valid value.
    let mut known = unsafe { core::mem::zeroed() };
    // SAFETY: without a new action `sigaction` writes to `known` alone.
    unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut known) == 0 }
}
