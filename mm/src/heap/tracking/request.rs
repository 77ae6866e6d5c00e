//! The request for a block: thread, scope, stack and time. Only families that record blocks look these up.
//!
//! None of this runs under a lock of mm: the name of a thread that Rust did not start comes from std, which may
//! allocate memory for it, and so may an unwinder.

use core::cell::Cell;

use super::caller::{Caller, Origin};
use super::{Counted, names, scopes};
use crate::heap::ground::hardening::Contents;
use crate::os::{clock, unwind};

std::thread_local! {
    static NAME: Cell<Name> = const { Cell::new(Name::Unknown) };
    static SCOPE: Cell<Scope> = const { Cell::new(0) };
    /// Leak scopes that count these `Contents`.
    static BEGUN: [Cell<u32>; 2] = const { [const { Cell::new(0) }; 2] };
}

/// The number of a leak scope; 0 for none.
pub(crate) type Scope = u16;

/// The highest number of a scope that a tag has room for.
pub(crate) const MOST_SCOPES: Scope = (1 << 15) - 1;

/// What is known of the calling thread's name.
#[derive(Clone, Copy)]
enum Name {
    Unknown,
    /// The name is being looked up. Allocations of the look-up have no thread name.
    Asked,
    Known(&'static str),
}

/// Who asks for a block, and when.
#[derive(Debug)]
pub(in crate::heap) struct AllocRequest {
    pub(in crate::heap) origin: Origin,
    pub(in crate::heap) thread: &'static str,
    pub(in crate::heap) scope: Scope,
    pub(in crate::heap) frames: unwind::Frames,
    /// In the unit of [`clock::milliseconds`].
    pub(in crate::heap) now: u64,
}

impl AllocRequest {
    /// The request of the calling thread, in a call of `caller`.
    pub(in crate::heap) fn now(caller: &dyn Caller) -> Self {
        Self {
            origin: caller.origin(),
            thread: thread_name(),
            scope: scope(),
            frames: unwind::frames(),
            now: clock::milliseconds(),
        }
    }
}

/// The leak scope of the calling thread; 0 if it is in none, or if the scope has ended.
pub(crate) fn scope() -> Scope {
    scopes::running(SCOPE.try_with(Cell::get).unwrap_or(0))
}

/// Puts the calling thread into a leak scope; returns the one that it was in.
pub(crate) fn enter_scope(scope: Scope) -> Scope {
    SCOPE.try_with(|mine| mine.replace(scope)).unwrap_or(0)
}

/// Notes that the calling thread begins a leak scope (1), or ends one (-1).
pub(crate) fn account_scope(counted: Counted, change: i32) {
    for contents in Contents::ALL.into_iter().filter(|with| counted.has(*with)) {
        let add = |begun: &Cell<u32>| begun.set(begun.get().saturating_add_signed(change));
        let _ = BEGUN.try_with(|begun| add(&begun[contents as usize]));
    }
}

/// Running leak scopes that the calling thread began and that count blocks with such contents.
pub(crate) fn scopes_begun(contents: Contents) -> u32 {
    let begun = BEGUN.try_with(|begun| begun[contents as usize].get());
    begun.unwrap_or(0)
}

/// The calling thread's name; an empty text if it has none, or is at its end.
fn thread_name() -> &'static str {
    NAME.try_with(|name| match name.get() {
        Name::Known(known) => known,
        Name::Asked => "",
        Name::Unknown => {
            name.set(Name::Asked);
            let known = names::kept_thread(std::thread::current().name().unwrap_or_default());
            name.set(Name::Known(known));
            known
        }
    })
    .unwrap_or_default()
}
