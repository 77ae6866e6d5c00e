//! Numbers of leak scopes. No two scopes have the same number at a time.
//!
//! A number stands in the tags of blocks, and in each thread that is in the scope. A thread may still be in a
//! scope that has ended, if the program did not join it. Its later blocks belong to no scope, and the number
//! becomes free when the last thread has left.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU32, AtomicUsize};

use super::request::{MOST_SCOPES, Scope};

/// Set while the scope is running. The other bits count the users of the number.
const RUNNING: u32 = 1 << 31;

/// The numbers from 1 on.
///
/// In a forked child, the numbers of scopes of other threads stay taken, since these scopes never end there.
struct Numbers<const COUNT: usize> {
    /// By number, less 1.
    users: [AtomicU32; COUNT],
    /// Numbers that were taken so far. The next search begins after them.
    asked: AtomicUsize,
}

static NUMBERS: Numbers<{ MOST_SCOPES as usize }> = Numbers::new();

/// A number that no other scope gets while this exists.
#[derive(Debug)]
pub(crate) struct ScopeNumber(Scope);

impl<const COUNT: usize> Numbers<COUNT> {
    const fn new() -> Self {
        Self {
            users: [const { AtomicU32::new(0) }; COUNT],
            asked: AtomicUsize::new(0),
        }
    }

    /// Takes a number for a new scope; `None` if all are taken.
    fn take(&self) -> Option<usize> {
        let first = self.asked.fetch_add(1, Relaxed);
        let mut all = (0..COUNT).map(|next| first.wrapping_add(next) % COUNT);
        let is_taken = |index: &usize| {
            // `Acquire`: after all that earlier users of the number did.
            let users = &self.users[*index];
            users.load(Relaxed) == 0
                && users
                    .compare_exchange(0, RUNNING | 1, Acquire, Relaxed)
                    .is_ok()
        };
        all.find(is_taken).map(|index| index + 1)
    }

    fn users(&self, number: usize) -> Option<&AtomicU32> {
        self.users.get(number.wrapping_sub(1))
    }

    fn share(&self, number: usize) {
        if let Some(users) = self.users(number) {
            users.fetch_add(1, Relaxed);
        }
    }

    fn give_back(&self, number: usize) {
        if let Some(users) = self.users(number) {
            users.fetch_sub(1, Release);
        }
    }

    fn end(&self, number: usize) {
        if let Some(users) = self.users(number) {
            users.fetch_and(!RUNNING, Relaxed);
        }
    }

    fn runs(&self, number: usize) -> bool {
        self.users(number)
            .is_some_and(|users| users.load(Relaxed) & RUNNING != 0)
    }
}

impl ScopeNumber {
    /// Takes a free number; `None` if all are taken.
    pub(crate) fn take() -> Option<Self> {
        let number = Scope::try_from(NUMBERS.take()?).ok()?;
        Some(Self(number))
    }

    pub(crate) fn number(&self) -> Scope {
        self.0
    }

    /// The same number, for another thread in the scope.
    pub(crate) fn share(&self) -> Self {
        NUMBERS.share(self.0.into());
        Self(self.0)
    }
}

impl Drop for ScopeNumber {
    fn drop(&mut self) {
        NUMBERS.give_back(self.0.into());
    }
}

/// Notes that a scope has ended. Called before its blocks move to another scope, one family after the other
/// under the family's lock: a thread that records a block under that lock later finds that the scope has ended.
pub(crate) fn end(scope: Scope) {
    NUMBERS.end(scope.into());
}

/// The scope if it is running, otherwise 0, which is no scope.
pub(crate) fn running(scope: Scope) -> Scope {
    if NUMBERS.runs(scope.into()) { scope } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_reused_only_after_all_its_users_left() {
        let numbers = Numbers::<3>::new();
        let taken = [numbers.take(), numbers.take(), numbers.take()];
        assert_eq!(taken, [Some(1), Some(2), Some(3)]);
        assert_eq!(numbers.take(), None, "all are in use");

        numbers.share(2);
        numbers.end(2);
        numbers.give_back(2);
        assert!(!numbers.runs(2) && numbers.runs(1));
        assert_eq!(numbers.take(), None, "a thread is still in it");
        numbers.give_back(2);
        assert_eq!(numbers.take(), Some(2));
        assert!(numbers.runs(2));

        for _ in 0..10 {
            numbers.end(3);
            numbers.give_back(3);
            assert_eq!(numbers.take(), Some(3), "the only free one");
        }
    }

    #[test]
    fn no_scope_has_number_0() {
        let numbers = Numbers::<1>::new();
        assert!(!numbers.runs(0));
        numbers.share(0);
        numbers.give_back(0);
        assert_eq!(numbers.take(), Some(1));
    }
}
