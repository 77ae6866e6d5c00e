//! Threads that wait for others which do not run: stopped, or of a lower priority on the same CPU.

use std::hint::black_box;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mm::{MmBox, MmManaged, Track};
use mm_tests::is_child;

#[derive(MmManaged)]
struct Busy(#[allow(dead_code, reason = "it takes room")] [u64; 4]);

/// Set to have the worker end.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Starts a thread that is nearly always inside of mm, past what its cache holds.
fn worker() -> JoinHandle<()> {
    thread::spawn(|| {
        let mut held: Vec<_> = (0..20_000).map(|_| MmBox::new(Busy([1; 4]))).collect();
        let mut random = mm_tests::Random::new(7);
        while !IS_OVER.load(Relaxed) {
            (1..held.len())
                .rev()
                .for_each(|at| held.swap(at, random.below(at + 1)));
            held.truncate(10_000);
            held.extend((0..10_000).map(|_| MmBox::new(Busy([2; 4]))));
        }
        drop(black_box(held));
    })
}

/// How long something takes.
fn time(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

/// 1 while the worker is to stand still, 2 once it does.
static STANDS: AtomicU32 = AtomicU32::new(0);

extern "C" fn stand_still(_: libc::c_int) {
    STANDS.store(2, Relaxed);
    // Not until it is 0: it may be 1 again before this thread looks.
    while STANDS.load(Relaxed) == 2 {
        std::hint::spin_loop();
    }
}

/// Stops the thread where it is, does something, and lets it go on: after two seconds in any case, as it
/// may have been stopped with a lock.
fn meanwhile(worker: &JoinHandle<()>, what: impl FnOnce()) -> Duration {
    STANDS.store(1, Relaxed);
    // SAFETY: the thread was not joined yet, and the signal has a handler.
    let sent = unsafe { libc::pthread_kill(worker.as_pthread_t(), libc::SIGUSR1) };
    assert_eq!(sent, 0);
    while STANDS.load(Relaxed) != 2 {
        thread::yield_now();
    }
    let waker = thread::spawn(|| {
        for _ in 0..2_000 {
            thread::sleep(Duration::from_millis(1));
            if STANDS.load(Relaxed) == 0 {
                return;
            }
        }
        STANDS.store(0, Relaxed);
    });
    let took = time(what);
    STANDS.store(0, Relaxed);
    waker.join().expect("it only sleeps");
    took
}

/// A thread that a debugger stopped, alone, wherever it is.
#[test]
fn a_stopped_thread_delays_nobody() {
    if !is_child("a_stopped_thread_delays_nobody", |_| ()) {
        return;
    }
    let handler = stand_still as extern "C" fn(libc::c_int);
    // SAFETY: the handler stores and loads an atomic integer, and nothing else.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    let worker = worker();
    let mut slow = 0;
    for round in 0..200 {
        thread::sleep(Duration::from_micros(round * 37 % 3_000));
        let took = meanwhile(&worker, || {
            let snapshot = mm::snapshot();
            let busy = snapshot.families.iter().find(|it| it.name == "Busy");
            let live = busy.map(|busy| busy.live_units);
            assert!(live.is_none_or(|live| live <= 20_002), "{live:?}");
            mm::trim();
        });
        slow += u32::from(took > Duration::from_millis(500));
    }
    IS_OVER.store(true, Relaxed);
    worker.join().expect("the worker ended");
    // It holds the family's lock for a hundredth of its time, about.
    assert!(slow <= 20, "{slow} of 200 waited");
}

/// Has the calling thread run on one CPU alone.
fn stay_on_one_cpu() -> bool {
    // SAFETY: a set of zero bytes is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set has room for a CPU with the number 0.
    unsafe { libc::CPU_SET(0, &mut set) };
    // SAFETY: the set is as long as it says.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) == 0 }
}

/// Has the calling thread run before all others that have no such priority.
fn run_first() -> bool {
    let first = libc::sched_param { sched_priority: 10 };
    // SAFETY: the parameters are there.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const first) == 0 }
}

/// A thread before which no other runs must not spin for what another has to do.
#[test]
fn a_thread_of_higher_priority_waits_asleep() {
    if !is_child("a_thread_of_higher_priority_waits_asleep", |_| ()) {
        return;
    }
    if !stay_on_one_cpu() {
        println!("LEFT OUT: the process may not choose its CPU");
        return;
    }
    // It stays on the same CPU, as threads inherit that.
    let worker = worker();
    thread::sleep(Duration::from_millis(50));
    if run_first() {
        let family = Busy::page_family();
        for _ in 0..50 {
            // All that must have the words of others, and so waits for them.
            let took = time(|| {
                family.track(Track::All);
                family.track(Track::Off);
            });
            assert!(took < Duration::from_millis(400), "{took:?}");
            thread::sleep(Duration::from_millis(5));
        }
    } else {
        println!("LEFT OUT: the process may not choose its priority");
    }
    IS_OVER.store(true, Relaxed);
    worker.join().expect("the worker ended");
}
