//! Signal handlers that call mm. They must not; debug builds detect such a call where it does harm.
#![cfg(unix)]

use std::ptr;
use std::time::{Duration, Instant};

use mm::MmBox;
use mm_tests::again;

#[derive(mm::MmManaged)]
struct Job([u64; 4]);

/// Has `handler` called every 50 microseconds.
fn call_often(handler: extern "C" fn(libc::c_int)) {
    // SAFETY: the handler is a function of the right type.
    let before = unsafe { libc::signal(libc::SIGALRM, handler as *const () as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
    let step = libc::timeval {
        tv_sec: 0,
        tv_usec: 50,
    };
    let timer = libc::itimerval {
        it_interval: step,
        it_value: step,
    };
    // SAFETY: the timer is a value of the type that the call reads.
    let answer = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
    assert_eq!(answer, 0);
}

/// Allocates and releases for so long.
fn work(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        let jobs: Vec<_> = (0..100).map(|step| MmBox::new(Job([step; 4]))).collect();
        assert!(jobs.iter().all(|job| job.0[0] == job.0[3]));
    }
}

extern "C" fn allocates(_: libc::c_int) {
    drop(MmBox::new(Job([1; 4])));
}

extern "C" fn reads_the_clock(_: libc::c_int) {
    let _ = Instant::now();
}

#[cfg(debug_assertions)]
#[test]
fn a_handler_that_interrupts_mm_and_calls_it_is_found() {
    let name = "a_handler_that_interrupts_mm_and_calls_it_is_found";
    if let Some(output) = again(name, |_| {}) {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("a signal handler called mm"), "{text}");
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        assert_eq!(signal, Some(libc::SIGABRT), "{text}");
        return;
    }
    call_often(allocates);
    work(Duration::from_secs(20));
    unreachable!("the handler never interrupted mm");
}

#[test]
fn a_handler_outside_of_mm_may_even_call_it() {
    allocates(0);
    // SAFETY: the handler is a function of the right type.
    unsafe { libc::signal(libc::SIGUSR1, allocates as *const () as libc::sighandler_t) };
    for _ in 0..1_000 {
        // SAFETY: the handler runs here and now, and this thread is not inside of mm.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
    }
    mm::check().expect("the walker finds the same");
}

#[test]
fn other_handlers_disturb_nothing() {
    let name = "other_handlers_disturb_nothing";
    if let Some(output) = again(name, |_| {}) {
        assert!(output.status.success(), "{:?}", output.status);
        return;
    }
    call_often(reads_the_clock);
    work(Duration::from_millis(300));
    mm::check().expect("the walker finds the same");
}
