//! The report of leaks when the program ends.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::process::id;
use std::thread;

use super::Profile;
use super::collect::leaks_of_process;
use crate::heap::Counted;
use crate::os::process::{self, AtExit};
use crate::{events, user_code};

/// The exit code after a leak. 0 keeps the process's own code.
static EXIT_CODE: AtomicU8 = AtomicU8::new(0);

/// Whether untyped memory counts, too.
static COUNTS_UNTYPED: AtomicBool = AtomicBool::new(false);

/// The identifier of the process that reports; 0 if none does.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Settings of the report of leaks at the end of the program.
#[derive(Debug)]
pub struct LeaksAtExit(());

/// Makes the process report leaks to standard error when it ends.
///
/// A leak is a live block that is not kept on purpose. The report is made after `main` returned or the
/// program called [`exit`](std::process::exit), and after the destructors of the main thread's locals.
/// What statics hold is then a leak unless it is [`Kept`](crate::Kept), and so is what other threads
/// still hold. If nothing is left, nothing is printed.
///
/// The report shows call sites if families are [tracked](crate::track()). Their stacks are looked up on
/// a separate thread, and left out if the system cannot start one.
///
/// `MM_OPTIONS=leaks` does the same, and `MM_OPTIONS=leaks=3` sets exit code 3; a later call takes
/// precedence.
///
/// A process that ends by `abort` or by a signal reports nothing. A forked child that ends by `exit`
/// reports what it allocated itself: for tracked blocks exactly, for others at least the increase since
/// the fork. A child that was forked without fork handlers, by `_Fork` or a raw `clone`, reports
/// nothing.
///
/// # Examples
///
/// ```
/// mm::report_leaks_at_exit().exit_code(3);
/// ```
pub fn report_leaks_at_exit() -> LeaksAtExit {
    if PROCESS.swap(id(), Relaxed) == 0 {
        process::at_exit::<Report>();
    }
    LeaksAtExit(())
}

impl LeaksAtExit {
    /// Ends the process with this exit code if something leaked, for continuous integration.
    ///
    /// 0 keeps the process's own code. A process's own code other than 0 is always kept: a panic's 101 says
    /// more than a leak does.
    ///
    /// This needs glibc, which reports the code. Elsewhere the code is always replaced, and functions that
    /// were registered by `atexit` before this report are then not called.
    pub fn exit_code(self, code: u8) {
        EXIT_CODE.store(code, Relaxed);
    }

    /// Counts untyped memory too: what [`Global`](crate::Global) allocated and the program did not release.
    ///
    /// Without this only blocks of types and of registered families are leaks, since std and the C library keep
    /// memory until the end of any program. `MM_OPTIONS=leaks=3,untyped` does the same.
    #[must_use]
    pub fn untyped(self) -> Self {
        COUNTS_UNTYPED.store(true, Relaxed);
        self
    }
}

/// Makes a forked child report, too.
pub(crate) fn adopt_in_child() {
    if PROCESS.load(Relaxed) != 0 {
        PROCESS.store(id(), Relaxed);
    }
}

struct Report;

impl AtExit for Report {
    unsafe fn run(status: Option<i32>) {
        // In a child that was forked without mm's handlers, locks may be held for ever.
        if PROCESS.load(Relaxed) != id() {
            return;
        }
        let has_leaks = user_code::caught(report).unwrap_or(false);
        let code = EXIT_CODE.load(Relaxed);
        // The parent process sees only the low 8 bits.
        let is_failure = status.is_some_and(|status| status & 0xff != 0);
        if has_leaks && code != 0 && !is_failure {
            // SAFETY: by requirement 1 the C library called this handler, and it is its last step.
            unsafe { process::end_now(code) };
        }
    }
}

/// Bytes of stack for looking up symbols, as much as an ordinary thread has.
const ORDINARY_STACK: usize = 2 << 20;

/// Returns the report as one text, because each part would be a call into the kernel. A separate thread looks
/// up the symbols of recorded stacks: the stack of the thread that ends the process may be too small. If no
/// thread can start, no recorded stack is shown.
fn text_of(leaks: &Profile) -> String {
    let mut sites = leaks.families.iter().flat_map(|family| &family.sites);
    if sites.all(|site| site.frames.is_empty()) {
        return leaks.to_string();
    }
    text_by_thread(leaks).unwrap_or_else(|| without_stacks(leaks.clone()).to_string())
}

fn text_by_thread(leaks: &Profile) -> Option<String> {
    thread::scope(|threads| {
        let own = thread::Builder::new().stack_size(ORDINARY_STACK);
        let writer = own.spawn_scoped(threads, || leaks.to_string());
        writer.ok()?.join().ok()
    })
}

fn without_stacks(mut leaks: Profile) -> Profile {
    let families = leaks.families.iter_mut();
    let sites = families.flat_map(|family| &mut family.sites);
    sites.for_each(|site| site.frames = Box::default());
    leaks
}

/// Reports leaks, and returns whether there were any.
fn report() -> bool {
    let counted = if COUNTS_UNTYPED.load(Relaxed) {
        Counted::All
    } else {
        Counted::Typed
    };
    let leaks = leaks_of_process(counted);
    if leaks.is_empty() {
        return false;
    }
    process::write_last_line(format_args!("at exit, {}", text_of(&leaks)));
    events::leaks(leaks.families.len(), &leaks);
    true
}
