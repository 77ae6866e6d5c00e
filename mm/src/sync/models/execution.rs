//! State of one execution of a model.

use core::any::Any;
use core::cell::RefCell;
use core::ops::Range;
use core::ptr::NonNull;
use std::collections::HashMap;
use std::rc::Rc;

use loom::cell::UnsafeCell;
use loom::sync::{Mutex, MutexGuard};
use loom::thread::ThreadId;

use super::modelled::{Modelled, Unused};

/// The most atomics that one execution may touch.
const MOST_ATOMICS: usize = 1_000;

std::thread_local! {
    static CURRENT: RefCell<Option<Execution>> = const { RefCell::new(None) };
}

/// A thread-local value; `None` once its thread has ended.
pub(super) type Local = Option<Rc<dyn Any>>;

/// What the engine tells the models: how to reset it, and which of its locks are no part of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Engine {
    /// Resets state that would otherwise last from one execution to the next.
    pub(crate) forget: fn(),
    /// Address ranges of statics whose locks are hidden from `loom`, since they are held for a few lines only.
    pub(crate) unmodelled: fn() -> [Range<usize>; 5],
}

/// The objects of `loom` in an execution, by address.
struct Execution {
    unused: Unused,
    atomics: HashMap<usize, Modelled>,
    mutexes: HashMap<usize, &'static Mutex<()>>,
    locals: HashMap<(usize, ThreadId), Local>,
    /// See [`Engine::unmodelled`].
    unmodelled: [Range<usize>; 5],
    /// For each unit, whether a thread owns it.
    owners: HashMap<NonNull<u8>, Ownership>,
}

struct Ownership {
    owned: bool,
    /// Written by each owner, so that `loom` finds two owners that do not synchronise.
    contents: Rc<UnsafeCell<()>>,
}

/// Starts an execution on the calling OS thread.
pub(super) fn begin(engine: &Engine) {
    CURRENT.with(|current| current.replace(None));
    (engine.forget)();
    let execution = Execution {
        unused: Unused::new(MOST_ATOMICS),
        atomics: HashMap::new(),
        mutexes: HashMap::new(),
        locals: HashMap::new(),
        unmodelled: (engine.unmodelled)(),
        owners: HashMap::new(),
    };
    CURRENT.with(|current| current.replace(Some(execution)));
}

/// Ends all threads without running destructors, as the end of the process would.
pub(super) fn forget_locals() {
    let forget = |local: &mut Local| core::mem::forget(local.take());
    with(|execution| execution.locals.values_mut().for_each(forget));
}

/// Calls `f` with the execution, if there is one. `f` must take no step of the model.
fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    CURRENT.with(|current| current.borrow_mut().as_mut().map(f))
}

/// Returns whether a model runs on this thread.
pub(super) fn is_there() -> bool {
    with(|_| ()).is_some()
}

/// Calls `f` with the model of the atomic at `address`; `start` is its value, for the first access. `None`
/// outside of models.
pub(super) fn with_atomic_at<R>(
    address: usize,
    start: impl FnOnce() -> u64,
    f: impl FnOnce(&mut Modelled, &mut Unused) -> R,
) -> Option<R> {
    with(|execution| {
        let unused = &mut execution.unused;
        let atomic = execution.atomics.entry(address);
        let atomic = atomic.or_insert_with(|| Modelled::new(unused.take(), start()));
        f(atomic, unused)
    })
}

/// Locks `loom`'s mutex for the mutex at `address`. `None` if that one is not modelled.
pub(super) fn lock_at(address: usize) -> Option<MutexGuard<'static, ()>> {
    let mutex = with(|execution| {
        let is_at = |range: &Range<usize>| range.contains(&address);
        if execution.unmodelled.iter().any(is_at) {
            return None;
        }
        // Guards outlive the table: a few bytes for each execution are never freed.
        let new = || &*Box::leak(Box::default());
        Some(*execution.mutexes.entry(address).or_insert_with(new))
    });
    let mutex = mutex.flatten()?;
    Some(mutex.lock().expect("loom poisons no mutex"))
}

/// The calling thread's value of the key at `address`; `None` outside of models.
pub(super) fn local_at<T: 'static>(address: usize, init: fn() -> T) -> Local {
    let thread = loom_thread()?;
    with(|execution| {
        let new = || Some(Rc::new(init()) as Rc<dyn Any>);
        let locals = &mut execution.locals;
        locals.entry((address, thread)).or_insert_with(new).clone()
    })?
}

/// Takes the thread-local values of the calling thread, which counts as ended from now on.
pub(super) fn take_locals() -> Vec<Local> {
    let thread = loom_thread();
    let take = |execution: &mut Execution| {
        let locals = execution.locals.iter_mut();
        let own = locals.filter(|((_, of), _)| Some(*of) == thread);
        own.map(|(_, local)| local.take()).collect()
    };
    with(take).unwrap_or_default()
}

fn loom_thread() -> Option<ThreadId> {
    with(|_| ())?;
    Some(loom::thread::current().id())
}

/// A unit that a thread of a model owns.
#[derive(Debug)]
pub(crate) struct Owned(NonNull<u8>);

impl Owned {
    /// Takes ownership of a unit that was just handed out.
    ///
    /// # Panics
    ///
    /// Panics if another thread owns it, or released it without synchronisation with the new owner.
    pub(crate) fn new(unit: NonNull<u8>) -> Self {
        let contents = with(|execution| {
            let new = || Ownership {
                owned: false,
                contents: Rc::new(UnsafeCell::new(())),
            };
            let owner = execution.owners.entry(unit).or_insert_with(new);
            assert!(!owner.owned, "a unit with two owners");
            owner.owned = true;
            Rc::clone(&owner.contents)
        });
        // A program writes to the units that it owns.
        contents.expect("a model").with_mut(|_| ());
        Self(unit)
    }

    /// Gives up ownership of the unit, so that the caller can release it.
    pub(crate) fn give_up(self) -> NonNull<u8> {
        let contents = with(|execution| {
            let owner = execution.owners.get_mut(&self.0).expect("an owned unit");
            owner.owned = false;
            Rc::clone(&owner.contents)
        });
        contents.expect("a model").with_mut(|_| ());
        self.0
    }
}
