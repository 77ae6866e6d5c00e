//! Leak checks for tests: [`no_leaks`] and its scopes.

use core::fmt;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::events;
use crate::heap::{self, MOST_SCOPES, Scope, ScopeNumber};
use crate::profile::{Profile, leaks_of_scope};
use crate::startup;
use crate::track::{begin_scope, end_scope};

/// A scope with leaks waits for other threads to release them: `PATIENCE` times for a `MOMENT`.
const PATIENCE: u32 = 20;
const MOMENT: Duration = Duration::from_millis(5);

/// Runs `body`, and panics with a report if something that it allocated is still live when it
/// returns.
///
/// It counts what this thread allocates in `body`, and what threads allocate that were started through
/// the [`LeakScope`]. Any thread may release it. Allocations of other threads, such as those of other
/// tests, do not count, so it works in a test harness that runs tests in parallel. What `body` returns
/// counts, too, while it is live. Two kinds of blocks are not found: those of values of size zero, which
/// are counted but never recorded, and those for whose record there was no memory.
///
/// While `body` runs, all families are tracked, and the whole program is slower; see
/// [`track`](crate::track()). There is an attribute of the same name for functions:
/// `#[mm::no_leaks] #[test] fn ...`.
///
/// # Panics
///
/// Panics if there are leaks, and lists them by family and call site. A panic of `body` propagates
/// unchanged. Panics before `body` runs if 32,767 other scopes are active, or have threads that still
/// run: no number is left to tell this scope's allocations from theirs.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// mm::no_leaks(|scope| {
///     let emp = MmBox::new(Emp(1));
///     scope.spawn(move || drop(emp)).join().unwrap();
/// });
///
/// let leaky = std::panic::catch_unwind(|| {
///     mm::no_leaks(|_| {
///         MmBox::leak(MmBox::new(Emp(2)));
///     });
/// });
/// assert!(leaky.unwrap_err().downcast_ref::<String>().unwrap().contains("Emp"));
/// ```
#[track_caller]
pub fn no_leaks<R>(body: impl FnOnce(&LeakScope) -> R) -> R {
    let scope = LeakScope::begin();
    let answer = scope.run(|| body(&scope));
    let leaks = scope.leaks_at_the_end();
    drop(scope);
    if !leaks.families.is_empty() {
        events::leaks(leaks.families.len(), &leaks);
    }
    assert!(leaks.families.is_empty(), "something leaked: {leaks}");
    answer
}

/// The scope whose threads' allocations [`no_leaks`] counts.
pub struct LeakScope {
    number: ScopeNumber,
    /// Number of the enclosing scope; 0 for none.
    outer: Scope,
}

impl LeakScope {
    #[track_caller]
    fn begin() -> Self {
        let Some(number) = ScopeNumber::take() else {
            panic!("{MOST_SCOPES} leak scopes are under way, which is the most there can be");
        };
        startup::begin();
        begin_scope();
        Self {
            number,
            outer: heap::scope(),
        }
    }

    /// Starts a thread that belongs to the scope.
    ///
    /// Join it within the scope: what the thread still holds when the scope ends is a leak.
    ///
    /// # Panics
    ///
    /// Panics if the system cannot start a thread, as [`std::thread::spawn`] does.
    pub fn spawn<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let started: io::Result<_> = {
            let number = self.number.share();
            thread::Builder::new().spawn(move || run_in(number, body))
        };
        started.expect("the system starts a thread")
    }

    /// Runs `body` as part of the scope, on the calling thread: a thread of [`std::thread::scope`], of a
    /// pool, or of a runtime.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// mm::no_leaks(|scope| {
    ///     std::thread::scope(|threads| {
    ///         threads.spawn(|| scope.run(|| drop(mm::MmBox::new(Emp(1)))));
    ///     });
    /// });
    /// ```
    pub fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        run_in(self.number.share(), body)
    }

    /// The leaks, after a wait for threads that have just ended to drop their thread-local values:
    /// [`std::thread::scope`] does not wait for those.
    fn leaks_at_the_end(&self) -> Profile {
        for _ in 0..PATIENCE {
            let leaks = self.leaks();
            if leaks.families.is_empty() {
                return leaks;
            }
            thread::sleep(MOMENT);
        }
        self.leaks()
    }

    /// Copies the figures of live blocks that the scope's threads have allocated so far.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// mm::no_leaks(|scope| {
    ///     let emp = mm::MmBox::new(Emp(1));
    ///     assert_eq!(scope.leaks().family("Emp").unwrap().live_units, 1);
    ///     drop(emp);
    /// });
    /// ```
    #[must_use]
    pub fn leaks(&self) -> Profile {
        leaks_of_scope(self.number.number())
    }
}

impl Drop for LeakScope {
    fn drop(&mut self) {
        end_scope(self.number.number(), self.outer);
    }
}

impl fmt::Debug for LeakScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakScope").finish_non_exhaustive()
    }
}

/// Runs `body` in a scope, and leaves the scope when `body` returns or panics.
fn run_in<T>(number: ScopeNumber, body: impl FnOnce() -> T) -> T {
    /// The enclosing scope, and the entered one, which is left before its number may be reused.
    struct Entered(
        Scope,
        #[expect(dead_code, reason = "dropped last")] ScopeNumber,
    );
    impl Drop for Entered {
        fn drop(&mut self) {
            heap::enter_scope(self.0);
        }
    }
    let _entered = Entered(heap::enter_scope(number.number()), number);
    body()
}
