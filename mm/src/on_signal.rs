//! Reports at a signal, written by a separate thread. A handler must neither allocate nor wait for a
//! lock, so ours only writes to a pipe.

use std::hint;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{FORBIDDEN, SIGBUS};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::signal_name;

use crate::os::process;
use crate::profile::leaks;
use crate::registry::snapshot;

/// A range that contains the numbers of all signals that a system has.
pub(crate) const NUMBERS: core::ops::Range<i32> = 1..128;

/// The handle that adds further signals to the thread; `None` before there is a thread.
static WATCH: Mutex<Option<Handle>> = Mutex::new(None);

/// Writes a report to standard error whenever `signal` arrives.
///
/// The report shows how much memory each family holds, and the call sites of tracked families.
///
/// A separate thread takes the figures. It writes a line with the number of the signal,
/// [`Snapshot::memory_usage`], and then the result of [`leaks`](fn@crate::leaks). Figures are in blocks,
/// units, bytes and percent, as there. Signals that arrive while it writes cause one further report. If
/// standard error is closed, the report is dropped.
///
/// Handlers that were installed before stay, and are called too. The handler replaces the signal's
/// default action, such as ending the process. A second call for the same signal changes nothing. A
/// forked child has no such thread, and writes no reports.
///
/// `MM_OPTIONS=signal=HUP`, or the signal's number there, does the same; see
/// [`Options::report_on_signal`](crate::Options::report_on_signal).
///
/// Requires the feature `signal`, on Unix. See [`signal(7)`] for the numbers.
///
/// [`Snapshot::memory_usage`]: crate::Snapshot::memory_usage
/// [`signal(7)`]: https://man7.org/linux/man-pages/man7/signal.7.html
///
/// # Errors
///
/// Returns [`InvalidInput`](io::ErrorKind::InvalidInput) if `signal` cannot be handled (`SIGKILL`,
/// `SIGSTOP`, and numbers without a signal), or results from a fault that would recur after the handler
/// (`SIGSEGV`, `SIGBUS`, `SIGILL`, `SIGFPE`). Returns the system's error if it cannot make a pipe or
/// start a thread.
///
/// # Examples
///
/// ```
/// const SIGHUP: i32 = 1;
/// mm::report_on_signal(SIGHUP)?;
/// // From here on `kill -HUP` shows what the process holds.
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn report_on_signal(signal: i32) -> io::Result<()> {
    if !can_report_on(signal) {
        return Err(refused(signal));
    }
    // Before the lock: if the global allocator is built on mm, the first allocation applies the options,
    // and those may add signals too.
    drop(hint::black_box(Box::new(signal)));
    // Nothing is allocated under the lock: the global allocator may be built on mm, and call code that
    // calls this function.
    let known = watch().clone();
    let handle = match known {
        Some(known) => known,
        None => first(start(signal)?),
    };
    // The thread was started with the first signal; adding that one again has no effect.
    handle.add_signal(signal)
}

/// The handle to use: `new`, or the handle that another caller stored first; then `new` is closed.
fn first(new: Handle) -> Handle {
    let mut watch = watch();
    let Some(known) = watch.clone() else {
        *watch = Some(new.clone());
        return new;
    };
    drop(watch);
    new.close();
    known
}

fn watch() -> MutexGuard<'static, Option<Handle>> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a signal can be handled, and does not result from a fault that would recur.
pub(crate) fn can_report_on(signal: i32) -> bool {
    // The system decides which signals exist, and reserves some.
    let is_fit = signal != SIGBUS && !FORBIDDEN.contains(&signal);
    NUMBERS.contains(&signal) && is_fit && process::has_signal(signal)
}

/// Returns the number of a signal by its name, with or without `SIG`, or by the number itself.
pub(crate) fn number_of(signal: &str) -> Option<i32> {
    let sig = signal.get(..3);
    let has_sig = sig.is_some_and(|sig| sig.eq_ignore_ascii_case("SIG"));
    let short = if has_sig { &signal[3..] } else { signal };
    let is_named = |number: &i32| {
        let name = signal_name(*number).and_then(|name| name.strip_prefix("SIG"));
        name.is_some_and(|name| name.eq_ignore_ascii_case(short))
    };
    NUMBERS
        .clone()
        .find(is_named)
        .or_else(|| signal.parse().ok())
}

/// Returns the error for a signal that cannot or should not be handled.
fn refused(signal: i32) -> io::Error {
    let message = format!("signal {signal} cannot be handled, or must not be");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Starts the thread, with its first signal.
fn start(signal: i32) -> io::Result<Handle> {
    let mut signals = Signals::new([signal])?;
    let handle = signals.handle();
    let thread = thread::Builder::new().name("mm-report".to_owned());
    thread.spawn(move || signals.forever().for_each(report))?;
    Ok(handle)
}

/// Writes one report. The text is complete before it is written, since making it allocates.
fn report(signal: i32) {
    let (snapshot, leaks) = (snapshot(), leaks(0));
    let usage = snapshot.memory_usage(None);
    let is_tracked = leaks.families.iter().any(|family| family.every > 0);
    let holders = is_tracked.then(|| format!("\n\n{leaks}"));
    let text = format!(
        "at signal {signal}, of process {}:\n{usage}{}",
        std::process::id(),
        holders.unwrap_or_default()
    );
    process::write_last_line(format_args!("{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_cannot_be_handled_is_refused() {
        for signal in [
            i32::MIN,
            -1,
            0,
            7,
            9,
            11,
            19,
            32,
            33,
            65,
            99,
            127,
            128,
            1 << 20,
        ] {
            assert!(!can_report_on(signal), "{signal}");
        }
        assert!([1, 2, 10, 12, 15].into_iter().all(can_report_on));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn those_for_programs_are_what_the_c_library_leaves() {
        let left = libc::SIGRTMIN()..=libc::SIGRTMAX();
        for signal in 32..NUMBERS.end {
            assert_eq!(can_report_on(signal), left.contains(&signal), "{signal}");
        }
    }
}
