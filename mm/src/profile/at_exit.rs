//! The report of leaks when the program ends.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::process::id;
use std::thread;

use super::Profile;
use super::collect::leaks_of_process;
use crate::os::process::{self, AtExit};
use crate::{events, user_code};

/// With what code the process ends if something leaked; 0 for the one that it has in any case.
static EXIT_CODE: AtomicU8 = AtomicU8::new(0);

/// The process that reports; 0 for none.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// How the report of leaks at the end of the program is made.
#[derive(Debug)]
pub struct LeaksAtExit(());

/// Has the process report, when it ends, what is live and not kept on purpose, to standard error.
///
/// That is after `main` has returned or somebody called [`exit`](std::process::exit), and after
/// the destructors of the main thread's locals: what statics hold is live, and is a leak unless it
/// is [`Kept`](crate::Kept), and so is what other threads still hold. Nothing is said if nothing
/// is left. With call sites, if families are [tracked](crate::track()); what is shown of their stacks is
/// looked up on a thread of mm's own, and left out where the system starts none. The same is asked from outside
/// by `MM_OPTIONS=leaks`, or `MM_OPTIONS=leaks=3` for exit code 3; a later call wins.
///
/// A process that ends by `abort` or by a signal reports nothing. A forked child that ends by `exit`
/// reports what it allocated itself: of tracked blocks exactly that, of others at least as many as
/// are more than at the fork. A child that was forked behind mm's back, by `_Fork` or a raw `clone`,
/// reports nothing.
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
    /// Ends the process with this exit code if something leaked, for continuous integration; with 0,
    /// the code stays as it is. A code other than 0 stays in any case: a panic's 101 says more than that
    /// something leaked.
    ///
    /// That needs glibc, which tells the code. Elsewhere the code is replaced, whatever it is, and functions that
    /// were registered by `atexit` before the report was asked for are then not called.
    pub fn exit_code(self, code: u8) {
        EXIT_CODE.store(code, Relaxed);
    }
}

/// Goes on reporting in a forked child.
pub(crate) fn adopt_in_child() {
    if PROCESS.load(Relaxed) != 0 {
        PROCESS.store(id(), Relaxed);
    }
}

struct Report;

impl AtExit for Report {
    unsafe fn run(status: Option<i32>) {
        // A child that was forked behind mm's back has locks that nobody lets go.
        if PROCESS.load(Relaxed) != id() {
            return;
        }
        let has_leaks = user_code::caught(report).unwrap_or(false);
        let code = EXIT_CODE.load(Relaxed);
        // What the parent process sees of it.
        let is_failure = status.is_some_and(|status| status & 0xff != 0);
        if has_leaks && code != 0 && !is_failure {
            // SAFETY: by requirement 1 the C library called this handler, and it is its last step.
            unsafe { process::end_now(code) };
        }
    }
}

/// The bytes of stack that looking up symbols has, as any thread of a program.
const ORDINARY_STACK: usize = 2 << 20;

/// The report as one text, or each part would be a call into the kernel. Symbols of stacks, if any were
/// recorded, are looked up on a thread of our own: that of the thread that ends the process may be too
/// small. Without such a thread no stack is shown.
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

/// Reports; whether there was something to report.
fn report() -> bool {
    let leaks = leaks_of_process();
    if leaks.is_empty() {
        return false;
    }
    process::write_last_line(format_args!("at exit, {}", text_of(&leaks)));
    events::leaks(leaks.families.len(), &leaks);
    true
}
