//! Who asks for a block: looked up by families that record it, and only then.
//!
//! Nothing here is under a lock of ours: the name of a thread that Rust did not start comes from
//! std, which may allocate for it, and so may an unwinder.

use core::cell::Cell;

use super::caller::{Caller, Origin};
use super::{names, scopes};
use crate::os::{clock, unwind};

std::thread_local! {
    static NAME: Cell<Name> = const { Cell::new(Name::Unknown) };
    static SCOPE: Cell<Scope> = const { Cell::new(0) };
    static BEGUN: Cell<u32> = const { Cell::new(0) };
}

/// The number of a part of a test; 0 for none.
pub(crate) type Scope = u16;

/// The highest of these numbers: what a tag has room for.
pub(crate) const MOST_SCOPES: Scope = (1 << 15) - 1;

/// What is known of the calling thread's name.
#[derive(Clone, Copy)]
enum Name {
    Unknown,
    /// It is being asked for: what that allocates has no name.
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
    /// As [`clock::milliseconds`] counts.
    pub(in crate::heap) now: u64,
}

impl AllocRequest {
    /// The calling thread, for a call of `caller`.
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

/// The part of a test that the calling thread is in; 0 if it is in none, or in one that is over.
pub(crate) fn scope() -> Scope {
    scopes::running(SCOPE.try_with(Cell::get).unwrap_or(0))
}

/// Puts the calling thread into a part of a test; returns the one that it was in.
pub(crate) fn enter_scope(scope: Scope) -> Scope {
    SCOPE.try_with(|mine| mine.replace(scope)).unwrap_or(0)
}

/// Notes that the calling thread begins a part of a test (1), or ends one (-1).
pub(crate) fn account_scope(change: i32) {
    let _ = BEGUN.try_with(|begun| begun.set(begun.get().saturating_add_signed(change)));
}

/// Parts of tests that the calling thread began, and that go on.
pub(crate) fn scopes_begun() -> u32 {
    BEGUN.try_with(Cell::get).unwrap_or(0)
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
