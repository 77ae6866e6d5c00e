//! The model of one of the engine's atomics, in one execution.
//!
//! `loom` tries other orders if two threads access the same atomic. Of the threads that loaded before a
//! store, it remembers only the last. If that thread is the one that stores, `loom` misses the orders in
//! which the store comes before the loads of other threads (issues 166 and 392 of tokio-rs/loom). That case
//! is common here: most shared atomics are loaded and stored by their owner, and only loaded by others. So
//! each thread that loads has a *mark*: an atomic that it stores into, and that other threads store into
//! before they store the value. If no thread but the loading one has stored, there is only one value to
//! load, and `loom` is not asked.

use std::rc::Rc;

use loom::sync::atomic::AtomicU64;
use loom::thread::ThreadId;

/// The atomic of `loom` for one of the engine's, and the threads that use it.
pub(super) struct Modelled {
    /// The value less `start`, since an atomic of `loom` starts at 0.
    pub(super) distance: Rc<AtomicU64>,
    /// The value at the first access in this execution.
    pub(super) start: u64,
    writers: Writers,
    pub(super) marks: Vec<(ThreadId, Rc<AtomicU64>)>,
}

/// The threads that stored in this execution.
#[derive(Clone, Copy)]
enum Writers {
    Nobody,
    One(ThreadId),
    Several,
}

/// Atomics that are not in use yet. All are made before any thread starts, so that every thread sees their
/// first values, whichever touches one first.
pub(super) struct Unused(Vec<Rc<AtomicU64>>);

impl Unused {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Rc::default()).collect())
    }

    pub(super) fn take(&mut self) -> Rc<AtomicU64> {
        self.0.pop().expect("an execution of few atomics")
    }
}

impl Modelled {
    pub(super) fn new(distance: Rc<AtomicU64>, start: u64) -> Self {
        Self {
            distance,
            start,
            writers: Writers::Nobody,
            marks: Vec::new(),
        }
    }

    /// The mark of a thread that loads.
    pub(super) fn mark_of(&mut self, thread: ThreadId, unused: &mut Unused) -> Rc<AtomicU64> {
        if let Some((_, mark)) = self.marks.iter().find(|(of, _)| *of == thread) {
            return Rc::clone(mark);
        }
        let mark = unused.take();
        self.marks.push((thread, Rc::clone(&mark)));
        mark
    }

    pub(super) fn has_other_writers(&self, thread: ThreadId) -> bool {
        match self.writers {
            Writers::Nobody => false,
            Writers::One(writer) => writer != thread,
            Writers::Several => true,
        }
    }

    pub(super) fn account_store(&mut self, thread: ThreadId) {
        self.writers = if self.has_other_writers(thread) {
            Writers::Several
        } else {
            Writers::One(thread)
        };
    }
}
