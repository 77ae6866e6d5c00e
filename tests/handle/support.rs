//! What the tests share: figures of a family, values that count their destructors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use mm::MmManaged;

/// Returns the live blocks and units of a type that only the calling test uses.
pub(crate) fn live<T: MmManaged>() -> (u64, u64) {
    let now = mm_tests::snapshot_of(T::page_family());
    (now.live_blocks, now.live_units)
}

/// Runs `f` and says whether it panicked.
pub(crate) fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Counts values of one test: how many are alive, and how many were dropped.
#[derive(Clone, Default)]
pub(crate) struct Census {
    alive: Rc<Cell<i64>>,
    dropped: Rc<Cell<i64>>,
    /// At which clone to panic, counting from 1; 0 is never.
    pub(crate) last_clone: Rc<Cell<i64>>,
}

impl Census {
    pub(crate) fn token(&self) -> Token {
        self.make(false)
    }

    /// A value whose destructor panics once it has counted itself.
    pub(crate) fn bomb(&self) -> Token {
        self.make(true)
    }

    pub(crate) fn alive(&self) -> i64 {
        self.alive.get()
    }

    pub(crate) fn dropped(&self) -> i64 {
        self.dropped.get()
    }

    fn make(&self, is_bomb: bool) -> Token {
        self.alive.set(self.alive.get() + 1);
        Token {
            census: self.clone(),
            is_bomb,
        }
    }
}

/// One counted value.
pub(crate) struct Token {
    census: Census,
    is_bomb: bool,
}

impl Clone for Token {
    fn clone(&self) -> Self {
        let left = self.census.last_clone.get() - 1;
        self.census.last_clone.set(left);
        assert!(left != 0, "this clone was to panic");
        self.census.make(self.is_bomb)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let Census { alive, dropped, .. } = &self.census;
        alive.set(alive.get() - 1);
        dropped.set(dropped.get() + 1);
        assert!(!self.is_bomb, "this destructor was to panic");
    }
}
