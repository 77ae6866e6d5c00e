//! Models: small programs of a few threads that `loom` runs in every order, with every value that
//! each load may return.
//!
//! They run the engine itself. The engine makes atomics in constants and in zeroed memory, and `loom`'s
//! atomics support neither. So in a model `crate::sync` offers types with the layout of `core`'s. They pass
//! each operation on to an atomic of `loom`, which a table finds by address. The table lasts for one
//! execution. See `atomic`.
//!
//! `loom` runs all threads of a model on one OS thread and switches between them only at these operations. A
//! lock that is held across such an operation is `loom`'s, too. Other locks (of the address space, of the
//! memory for records) are ordinary ones.
//!
//! The memory of an execution is never freed. It is a few kilobytes, and most of it is never touched.
//!
//! The number in a call of [`model`] is a bound: how often a thread is interrupted that could continue. The
//! choice of the value that a load returns has no bound. So a thread that reads many fields, beside one that
//! changes many, takes tens of thousands of executions even if it interrupts only once. Therefore the thread
//! that works comes first and runs to its end, and the other one starts when all is prepared and reads once.
//!
//! An execution must do the same as an earlier one, up to the point where `loom` decides otherwise. So each
//! execution makes its own families, cells and threads, and nothing depends on an address.

mod atomic;
mod execution;
mod local;
mod modelled;
mod mutex;

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

/// The most steps of all threads together in one execution. A model with more steps waits for itself.
const MOST_STEPS: usize = 10_000;

/// Runs `program` in all orders, or in those with at most `interruptions` interruptions of threads that could
/// continue. Prints the number of executions. `LOOM_MAX_PREEMPTIONS` sets another bound.
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
