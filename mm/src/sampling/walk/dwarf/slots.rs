//! Walkers for threads in parallel, and what a fork does to them.
//!
//! No thread waits for a walker: one that finds none free does not know its stack. So a thread that allocates while it
//! holds a lock of the loader cannot wait for one that holds a walker and waits for the loader.

use core::cell::UnsafeCell;
use core::hint;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

use super::bounds::Bounds;
use super::registers::Start;
use super::walker::{Frames, Walker};
use crate::heap::heap_limit;
use crate::os::Mapping;

/// Walkers at most: with more threads than this that walk at the same time, some stacks are not known.
const SLOTS: usize = 16;

/// Bytes of its stack that a thread must have left for a walk, and to make a walker.
const FOR_WALK: usize = 16 << 10;
const FOR_MAKING: usize = 96 << 10;

/// Bytes that must be there to make a walker: several times what it takes, as it is made of blocks of several classes.
/// Without them the program would end in the middle of it, where it could go on.
const MEMORY: usize = 8 << 20;

/// A place for a walker.
///
/// # Invariants
///
/// 1. Only the thread that changed `is_taken` from false to true touches `walker`, until it stores false.
struct Slot {
    is_taken: AtomicBool,
    walker: UnsafeCell<Option<Box<Walker>>>,
}

// SAFETY: by invariant 1 one thread at a time touches the walker. It refers to tables of modules, and to no thread.
unsafe impl Sync for Slot {}

static ALL: [Slot; SLOTS] = [const {
    Slot {
        is_taken: AtomicBool::new(false),
        walker: UnsafeCell::new(None),
    }
}; SLOTS];

/// Whether a thread is about to fork, so that no walk begins.
static IS_FORKING: AtomicBool = AtomicBool::new(false);

/// A slot that the calling thread has.
struct Taken(&'static Slot);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.is_taken.store(false, Release);
    }
}

/// Calls `f` with the return addresses on the calling thread's stack; with none if they cannot be found.
///
/// The caller makes sure that allocations of this thread do not come here meanwhile.
#[inline(never)]
pub(in crate::sampling) fn with_stack<R>(bounds: &Bounds, f: impl FnOnce(&[usize]) -> R) -> R {
    let mut frames = Frames::none();
    let start = Start::here();
    let (low, end) = bounds.get();
    if (low..end).contains(&start.stack) {
        let left = start.stack - low;
        if left >= FOR_WALK
            && let Some(slot) = take(bounds)
        {
            slot.walk(&start, bounds, left, &mut frames);
        }
    }
    f(frames.get())
}

/// Keeps threads out of walks, and waits until none walks.
pub(in crate::sampling) fn keep_out() {
    IS_FORKING.store(true, SeqCst);
    while ALL.iter().any(|slot| slot.is_taken.load(SeqCst)) {
        hint::spin_loop();
        std::thread::yield_now();
    }
}

/// Ends what [`keep_out`] began.
pub(in crate::sampling) fn let_in() {
    IS_FORKING.store(false, SeqCst);
}

/// Takes a slot: the thread's usual one, or another that is free.
fn take(bounds: &Bounds) -> Option<Taken> {
    // Stacks of threads differ by at least an OS page, usually by megabytes.
    let (_, end) = bounds.get();
    let usual = (end >> 12 ^ end >> 21) % SLOTS;
    (usual..usual + SLOTS).find_map(|number| {
        let slot = &ALL[number % SLOTS];
        if slot.is_taken.load(Relaxed) || slot.is_taken.swap(true, SeqCst) {
            return None;
        }
        let taken = Taken(slot);
        // `SeqCst`: either `keep_out` sees the slot taken, or this sees that a thread forks.
        (!IS_FORKING.load(SeqCst)).then_some(taken)
    })
}

/// Whether there is memory to make a walker.
fn has_memory() -> bool {
    let is_given = |mapping: Mapping| mapping.commit(0..MEMORY).is_ok();
    heap_limit::has_room(MEMORY as u64) && Mapping::reserve(MEMORY, 1).is_ok_and(is_given)
}

impl Taken {
    fn walk(&self, start: &Start, bounds: &Bounds, left: usize, frames: &mut Frames) {
        // SAFETY: by invariant 1 of `Slot` only this thread touches the walker, as `take` changed `is_taken`.
        let walker = unsafe { &mut *self.0.walker.get() };
        if !walker.as_ref().is_some_and(|walker| walker.is_current()) {
            *walker = None;
            if left < FOR_MAKING || !has_memory() {
                return;
            }
            *walker = Some(heap_limit::exempt(|| Box::new(Walker::make())));
        }
        if let Some(walker) = walker {
            walker.walk(start, bounds, frames);
        }
    }
}
