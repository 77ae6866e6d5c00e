//! The report of leaks when the program ends.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use super::leaks;
use crate::events;
use crate::os::process;

/// With what code the process ends if something leaked; 0 for the one that it has in any case.
static EXIT_CODE: AtomicU8 = AtomicU8::new(0);

/// How the report of leaks at the end of the program is made.
#[derive(Debug)]
pub struct LeaksAtExit(());

/// Has the process report, when it ends, what is live and not kept on purpose, to standard error.
///
/// That is after `main` has returned or somebody called [`exit`](std::process::exit), and after
/// the destructors of the main thread's locals: what statics hold is live, and is a leak unless it
/// is [`Kept`](crate::Kept), and so is what other threads still hold. Nothing is said if nothing
/// is left. With call sites, if families are [tracked](crate::track()). The same is asked from outside
/// by `MM_OPTIONS=leaks`, or `MM_OPTIONS=leaks=3` for exit code 3; a later call wins.
///
/// A process that ends by `abort` or by a signal reports nothing.
///
/// # Examples
///
/// ```
/// mm::report_leaks_at_exit().exit_code(3);
/// ```
pub fn report_leaks_at_exit() -> LeaksAtExit {
    static ASKED: AtomicBool = AtomicBool::new(false);
    if !ASKED.swap(true, Relaxed) {
        process::at_exit(report);
    }
    LeaksAtExit(())
}

impl LeaksAtExit {
    /// Ends the process with this exit code if something leaked, for continuous integration; with 0,
    /// the code stays as it is.
    ///
    /// Functions that were registered by `atexit` before the report was asked for are then not
    /// called.
    pub fn exit_code(self, code: u8) {
        EXIT_CODE.store(code, Relaxed);
    }
}

extern "C" fn report() {
    let leaks = leaks();
    if leaks.is_empty() {
        return;
    }
    events::leaks(&leaks);
    // As one text, or each part would be a call into the kernel.
    let text = leaks.to_string();
    process::say_last(format_args!("at exit, {text}"));
    let code = EXIT_CODE.load(Relaxed);
    if code != 0 {
        process::end_now(code);
    }
}
