//! Reports at signals, on standard error. Each test has a process of its own for its handlers.
#![cfg(unix)]

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use mm::{MmBox, MmManaged, Track, report_on_signal};
use mm_tests::is_child;

#[derive(MmManaged)]
struct Held([u64; 4]);

/// How long a report may come late that should not come at all.
const LATE: Duration = Duration::from_millis(200);

/// Standard error, which goes to a pipe until this is dropped or told to stop.
struct Captured {
    reader: BufReader<PipeReader>,
    before: OwnedFd,
}

impl Captured {
    fn start() -> Self {
        let (reader, writer) = io::pipe().expect("a pipe");
        // SAFETY: standard error is open.
        let before = unsafe { libc::dup(libc::STDERR_FILENO) };
        assert!(before >= 0);
        turn_stderr_to(writer.as_raw_fd());
        Self {
            reader: BufReader::new(reader),
            // SAFETY: the call has made it for us.
            before: unsafe { OwnedFd::from_raw_fd(before) },
        }
    }

    /// Reads up to the end of one report.
    fn report(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("\nUSED, HOLES, OTHER") {
            assert!(self.reader.read_line(&mut text).expect("text") > 0);
        }
        text
    }

    /// Gives standard error back, and reads what is left.
    fn stop(self) -> String {
        turn_stderr_to(self.before.as_raw_fd());
        io::read_to_string(self.reader).expect("text")
    }
}

/// Has standard error be another open file.
fn turn_stderr_to(file: RawFd) {
    // SAFETY: both are open, and no other thread changes what standard error is.
    let answer = unsafe { libc::dup2(file, libc::STDERR_FILENO) };
    assert_eq!(answer, libc::STDERR_FILENO);
}

fn raise(signal: i32) {
    // SAFETY: the signal has a handler, which may be called anywhere.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

fn heading(signal: i32) -> String {
    let process = std::process::id();
    format!("mm: at signal {signal}, of process {process}:\n")
}

#[test]
fn a_signal_makes_one_report() {
    if !is_child("a_signal_makes_one_report", |_| {}) {
        return;
    }
    let held: Vec<_> = (0..1_234).map(|n| MmBox::new(Held([n; 4]))).collect();
    report_on_signal(libc::SIGUSR1).expect("it can be handled");
    report_on_signal(libc::SIGUSR1).expect("a second time too");
    report_on_signal(libc::SIGUSR2).expect("another too");

    let mut captured = Captured::start();
    raise(libc::SIGUSR1);
    let first = captured.report();
    raise(libc::SIGUSR2);
    let second = captured.report();
    thread::sleep(LATE);
    let rest = captured.stop();

    assert!(first.starts_with(&heading(libc::SIGUSR1)), "{first}");
    assert!(second.starts_with(&heading(libc::SIGUSR2)), "{second}");
    assert_eq!(rest, "");
    let row = first.lines().find(|line| line.starts_with("Held "));
    assert!(row.expect("a row").contains(" 1,234 "), "{first}");
    assert_eq!(held[7].0, [7; 4]);
}

#[test]
fn call_sites_of_tracked_families_are_there() {
    if !is_child("call_sites_of_tracked_families_are_there", |_| {}) {
        return;
    }
    Held::page_family().track(Track::All);
    let line = line!() + 1;
    let held: Vec<_> = (0..3).map(|n| MmBox::new(Held([n; 4]))).collect();
    report_on_signal(libc::SIGUSR1).expect("it can be handled");
    let mut captured = Captured::start();
    raise(libc::SIGUSR1);
    let mut text = captured.report();
    thread::sleep(LATE);
    text += &captured.stop();
    let place = format!("96 B in 3 blocks at tests/report_on_signal.rs:{line}:");
    assert!(text.contains(&place), "{text}");
    assert_eq!(held[2].0, [2; 4]);
}

#[test]
fn the_environment_asks_for_reports_too() {
    if !is_child("the_environment_asks_for_reports_too", |child| {
        child.env("MM_OPTIONS", "signal=HUP,signal=SIGUSR1");
    }) {
        return;
    }
    let held: Vec<_> = (0..1_234).map(|n| MmBox::new(Held([n; 4]))).collect();
    for signal in [libc::SIGHUP, libc::SIGUSR1] {
        let mut captured = Captured::start();
        raise(signal);
        let text = captured.report();
        captured.stop();
        assert!(text.starts_with(&heading(signal)), "{text}");
        assert!(text.contains("Held "), "{text}");
    }
    assert_eq!(held[7].0, [7; 4]);
}

/// How often the handler that was there first was called.
static CALLS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: libc::c_int) {
    CALLS.fetch_add(1, SeqCst);
}

#[test]
fn handlers_of_others_are_called_too() {
    if !is_child("handlers_of_others_are_called_too", |_| {}) {
        return;
    }
    // SAFETY: the handler is a function of the right type.
    let before = unsafe { libc::signal(libc::SIGUSR1, count as *const () as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
    report_on_signal(libc::SIGUSR1).expect("it can be handled");
    let mut captured = Captured::start();
    raise(libc::SIGUSR1);
    captured.report();
    captured.stop();
    assert_eq!(CALLS.load(SeqCst), 1);
}

#[test]
fn a_closed_standard_error_ends_nothing() {
    if !is_child("a_closed_standard_error_ends_nothing", |_| {}) {
        return;
    }
    report_on_signal(libc::SIGUSR1).expect("it can be handled");
    let full = File::options().write(true).open("/dev/full");
    let captured = Captured::start();
    if let Ok(full) = full {
        turn_stderr_to(full.as_raw_fd());
        raise(libc::SIGUSR1);
        thread::sleep(LATE);
    }
    captured.stop();
    let mut captured = Captured::start();
    raise(libc::SIGUSR1);
    let text = captured.report();
    captured.stop();
    assert!(text.starts_with(&heading(libc::SIGUSR1)), "{text}");
}

/// Who has standard error may wait for the report, as this test does.
#[test]
fn a_locked_standard_error_is_no_hindrance() {
    if !is_child("a_locked_standard_error_is_no_hindrance", |_| {}) {
        return;
    }
    report_on_signal(libc::SIGUSR1).expect("it can be handled");
    let mut captured = Captured::start();
    let locked = io::stderr().lock();
    raise(libc::SIGUSR1);
    let text = captured.report();
    drop(locked);
    captured.stop();
    assert!(text.starts_with(&heading(libc::SIGUSR1)), "{text}");
}

#[test]
fn signals_that_must_not_be_handled_are_refused() {
    let forbidden = [libc::SIGKILL, libc::SIGSTOP];
    let faults = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
    let numbers = [0, -1, 100, 127, 128, 1_000, i32::MAX, i32::MIN];
    for signal in forbidden.iter().chain(&faults).chain(&numbers) {
        let error = report_on_signal(*signal).expect_err("it is refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{signal}");
    }
}
