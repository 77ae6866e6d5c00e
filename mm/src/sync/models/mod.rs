//! Models: small programs of a few threads that `loom` runs in every order, with every value that
//! each load may return.
//!
//! They run the engine itself. The engine needs atomics that constants can make, and that zeroed memory
//! holds; `loom`'s can do neither. So in a model `crate::sync` offers types that have the interface of
//! `core`'s and contain one of them. They pass every operation on to an atomic of `loom`, which they find by
//! address in a table that lasts for one execution. See `atomic`.
//!
//! `loom` runs all threads of a model on one OS thread, and switches between them at these operations
//! only. A lock that is held across such an operation is `loom`'s, too. The locks of the address space and
//! of the memory for records never are, and are `std`'s.
//!
//! An execution does not release its memory: a few kilobytes, most of it never touched.
//!
//! The number in a call of [`model`] is its preemption bound: how often `loom` interrupts a thread that could
//! go on. The choice of the value that a load returns has no bound. If one thread reads many fields while
//! another changes many, a single interruption already makes tens of thousands of executions. So in most
//! models the first thread does the work up to its end, and the other starts late and reads once.
//!
//! An execution must do the same as an earlier one, up to the point where `loom` decides otherwise. So each
//! execution makes its own families, cells and threads, and nothing depends on an address.

mod atomic;
mod execution;
mod local;
mod modelled;
mod mutex;
mod place;

use core::sync::atomic::{self as core_atomic, Ordering::Relaxed};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use loom::thread::JoinHandle;

pub(crate) use atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
};
pub(crate) use execution::{Engine, Owned};
pub(crate) use local::{LocalKey, end_thread, thread_local};
pub(crate) use mutex::{Mutex, MutexGuard};

/// The most steps that one execution may take, of all threads together. A model that takes more is
/// stuck.
const MOST_STEPS: usize = 10_000;

/// Runs `program` in every order, or in every order with at most `interruptions` interruptions of threads that
/// could go on. Prints how many orders there were. `LOOM_MAX_PREEMPTIONS` sets another bound.
pub(crate) fn model(
    engine: Engine,
    name: &str,
    interruptions: impl Into<Option<usize>>,
    program: fn(),
) {
    // Models share the engine's statics, so they run one after the other.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let schedules = Arc::new(core_atomic::AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(interruptions.into());
    builder.max_branches = MOST_STEPS;
    let counted = Arc::clone(&schedules);
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        execution::begin(&engine);
        program();
        end_thread();
    });
    println!("model {name}: {} schedules", schedules.load(Relaxed));
}

/// Starts a thread of a model. After a join its thread-local values are destroyed, too.
pub(crate) fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    loom::thread::spawn(move || {
        let answer = body();
        end_thread();
        answer
    })
}

/// Lets other threads run, in a model and in a process.
pub(crate) fn yield_now() {
    if execution::is_there() {
        loom::thread::yield_now();
    } else {
        std::thread::yield_now();
    }
}

/// Lets another thread run, because no time passes in a model.
pub(crate) fn spin_loop() {
    yield_now();
}

/// A fence; in a model that of `loom`.
pub(crate) fn fence(order: core_atomic::Ordering) {
    if execution::is_there() {
        loom::sync::atomic::fence(order);
    } else {
        core_atomic::fence(order);
    }
}

/// The payload of the panic with which a thread of a model unwinds where a process would end.
struct Aborted;

/// Unwinds where the process would end; see [`ends_process`].
pub(crate) fn abort() -> ! {
    execution::forget_locals();
    std::panic::resume_unwind(Box::new(Aborted))
}

/// Returns whether `f` would have ended the process. If so, no destructor of a thread-local value runs in
/// this execution any more.
pub(crate) fn ends_process(f: impl FnOnce()) -> bool {
    match std::panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => false,
        Err(why) if why.is::<Aborted>() => true,
        Err(why) => std::panic::resume_unwind(why),
    }
}
