//! Two threads that race on the same value, a fault of the program and not of mm.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use mm::{MmBox, MmManaged};

/// Threads that count.
const WORKERS: usize = 2;

#[derive(MmManaged)]
struct Counter(u64);

struct Shared(*mut u64);

// SAFETY: none; this is the fault.
unsafe impl Send for Shared {}

/// Both count in one unit, without a lock.
pub(crate) fn race() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let mut counter = MmBox::new(Counter(0));
    let workers = [(); WORKERS].map(|()| {
        let shared = Shared(&raw mut counter.0);
        thread::spawn(move || {
            let Shared(number) = { shared };
            STARTED.fetch_add(1, Relaxed);
            // The tool takes a thread for the one before it, if that has ended.
            while STARTED.load(Relaxed) < WORKERS {
                spin_loop();
            }
            count(number);
        })
    });
    workers
        .into_iter()
        .for_each(|worker| worker.join().expect("no worker panics"));
    drop(counter);
}

fn count(number: *mut u64) {
    for _ in 0..1_000 {
        // SAFETY: none; this is the fault.
        let now = unsafe { number.read_volatile() };
        // SAFETY: none; this is the fault.
        unsafe { number.write_volatile(now + 1) };
    }
}
