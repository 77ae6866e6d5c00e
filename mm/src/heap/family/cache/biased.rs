//! A biased lock on the words of a thread: it costs the owner no more than two stores.
//!
//! A thread works in its own words without the family's lock. Sometimes another thread needs these words: to
//! give memory back, to take free pages from a sleeping thread, or to fork. So an owner changes its words only
//! inside a *section*, in which `busy` is 1. A thread that needs the words takes the family's lock, sets
//! `wanted`, calls [`barrier`], and waits until `busy` is 0. If the owner then starts a section, it sees
//! `wanted`, resets `busy`, and waits for the family's lock before it tries again.
//!
//! # Why it is right
//!
//! The owner stores `busy`, then loads `wanted`; the other thread stores `wanted`, then loads `busy`. A CPU may
//! execute each load before the store that precedes it; then both threads would read 0, and both would use the
//! words. A fence on each side forbids that. But the owner's fence would cost more than the rest of its
//! section. So the owner has only a compiler fence, and the other thread calls `membarrier(2)`: the kernel runs
//! a fence on every CPU that runs a thread of the process. Let M be the point of the owner's execution at which
//! that fence runs.
//!
//! - A section before M: all its stores are visible to the other thread.
//! - A section around M: `busy == 1` is visible, and the other thread leaves its loop only when it reads the 0
//!   that the owner stores with `Release` at the end; with `Acquire` all of the section is visible.
//! - A section after M: the owner loads `wanted == 1` and turns back; or it loads the 0 that was stored with
//!   `Release` when the words were no longer needed, and with `Acquire` all that was done to them is visible.
//!
//! If the kernel has no such call, `wanted` always contains [`FENCED`], so that each section takes the cold
//! branch, which has a fence of its own.
//!
//! The language's memory model does not know such a call. So every field that both threads use is atomic: if
//! the argument above were wrong, mm would read wrong values, but there would be no undefined behaviour.
//!
//! Sources: P1202R4, "Asymmetric Fences"; rust-lang/unsafe-code-guidelines#362; membarrier(2).
//!
//! # Rules
//!
//! Inside a section no thread takes a lock, calls the kernel, runs code of the user, or panics. The same holds
//! while a record's version is odd. Debug builds end the process if a thread does (`os::section`). The calls of
//! `membarrier::model_*` do something only in models (`heap/models`). Code that holds the family's lock needs
//! no section for words without an owner, nor for those of its own thread's record.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::compiler_fence;

use super::record::CacheRecord;
use crate::os::{membarrier, section};
use crate::sync::{MODELLED, fence, spin_loop, yield_now};

/// Set in `wanted` if there is no `membarrier`.
const FENCED: u32 = 2;

/// Set in `wanted` by a thread that needs the words.
const WANTED: u32 = 1;

/// The number of checks after which `try_wait_until_at_rest` gives up.
const LOOKS: u32 = 60;

/// After each of the first checks, [`pause`] spins; after later ones it yields or sleeps.
const SPINS: u32 = 50;

impl CacheRecord {
    /// Begins a section. The caller is the record's thread.
    #[inline]
    pub(in crate::heap) fn enter(&self) {
        self.raise_busy();
        if self.wanted.load(Acquire) != 0 {
            self.enter_slow();
        }
        membarrier::model_step();
    }

    /// Ends the section.
    #[inline]
    pub(in crate::heap) fn leave(&self) {
        section::end();
        membarrier::model_step();
        self.busy.store(0, Release);
        membarrier::model_step();
    }

    /// Notes that the thread is in a section, before it checks whether another thread wants its words.
    #[inline]
    fn raise_busy(&self) {
        section::begin();
        self.busy.store(1, Relaxed);
        membarrier::model_step();
        compiler_fence(SeqCst);
    }

    /// Does a short piece of work inside of a section.
    #[inline]
    pub(in crate::heap) fn section<R>(&self, work: impl FnOnce() -> R) -> R {
        self.enter();
        let answer = work();
        self.leave();
        answer
    }

    /// As [`section`](Self::section), but returns `None` and does nothing if another thread wants the words, or
    /// if every section needs a fence. It has no slow path, so the compiler can inline it without a function
    /// call.
    #[inline]
    pub(in crate::heap) fn try_section<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        self.raise_busy();
        let is_wanted = self.wanted.load(Acquire) != 0;
        membarrier::model_step();
        let answer = (!is_wanted).then(work);
        self.leave();
        answer
    }

    /// The part of [`enter`](Self::enter) for the case that another thread wants the words, or that every
    /// section needs a fence.
    #[cold]
    #[inline(never)]
    pub(super) fn enter_slow(&self) {
        loop {
            if !membarrier::is_there() {
                fence(SeqCst);
            }
            if self.wanted.load(Acquire) & WANTED == 0 {
                return;
            }
            self.busy.store(0, Release);
            section::end();
            membarrier::model_stop();
            drop(self.heap().central());
            membarrier::model_resume();
            self.raise_busy();
        }
    }

    /// Notes that the calling thread, which holds the family's lock, needs the words. It must then call
    /// [`barrier`], and `try_wait_until_at_rest` or `wait_until_at_rest`.
    pub(in crate::heap) fn want(&self) {
        self.wanted.store(WANTED | idle(), Relaxed);
    }

    /// Whether a thread that holds the family's lock keeps the owner out of its words.
    pub(in crate::heap) fn is_wanted(&self) -> bool {
        self.wanted.load(Relaxed) & WANTED != 0
    }

    /// Lets the owner use its words again.
    pub(in crate::heap) fn end_wanted(&self) {
        self.wanted.store(idle(), Release);
    }

    /// Waits a short time for the owner to end its section. Returns whether it is in none.
    pub(in crate::heap) fn try_wait_until_at_rest(&self) -> bool {
        (0..LOOKS).any(|look| {
            let is_at_rest = self.busy.load(Acquire) == 0;
            if !is_at_rest {
                pause(look);
            }
            is_at_rest
        })
    }

    /// Waits until the owner is in no section, however long the system keeps it from running.
    pub(in crate::heap) fn wait_until_at_rest(&self) {
        let mut look = 0;
        while self.busy.load(Acquire) != 0 {
            pause(look);
            look = look.saturating_add(1);
        }
    }

    /// Ends the sections of a record in a forked child, which has no other thread that could be in one.
    pub(in crate::heap) fn forget_sections(&self) {
        self.busy.store(0, Relaxed);
        self.end_wanted();
    }
}

/// A fence in all threads of the process. After it, for each thread that starts a section: the caller sees
/// `busy`, or that thread sees `wanted`. Returns false if the kernel refuses; then the caller must leave the
/// words of other threads alone.
#[must_use]
pub(in crate::heap) fn barrier() -> bool {
    if membarrier::is_there() {
        return membarrier::call();
    }
    fence(SeqCst);
    true
}

/// As [`barrier`], for callers that cannot leave the words alone. The kernel may refuse the call that it
/// allowed before. Then this waits, much longer than a CPU takes to make its stores visible to the others.
pub(in crate::heap) fn barrier_at_any_cost() {
    if !barrier() {
        fence(SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// The value of `wanted` when no thread wants the words.
fn idle() -> u32 {
    if membarrier::is_there() { 0 } else { FENCED }
}

/// Lets other threads run. `look` is the number of earlier calls in a row: the first calls spin, later ones
/// yield, then they sleep. A thread with a higher priority than the owner must sleep, or the owner would never
/// run.
pub(in crate::heap) fn pause(look: u32) {
    match look {
        0..SPINS => spin_loop(),
        SPINS..LOOKS => yield_now(),
        _ if MODELLED => yield_now(),
        _ => std::thread::sleep(std::time::Duration::from_micros(50)),
    }
}
