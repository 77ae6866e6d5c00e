//! Leak checks for tests: [`no_leaks`] and its scopes.

use core::fmt;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::events;
use crate::heap::{self, Counted, MOST_SCOPES, Scope, ScopeNumber};
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
/// are counted but never recorded, and those for whose record there was no memory. What
/// [`Global`](crate::Global) allocates does not count; see [`no_leaks_untyped`].
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
    without_leaks(Counted::Typed, body)
}

/// Runs `body` as [`no_leaks`] does, and counts untyped memory too: what the scope's threads allocate through
/// [`Global`](crate::Global).
///
/// Without [`Global`](crate::Global) it does what [`no_leaks`] does. The first use of much of std keeps memory
/// until the end of the program, such as that of standard output; call it once before, or it is a leak. The
/// attribute is `#[mm::no_leaks(untyped)]`.
///
/// # Panics
///
/// As [`no_leaks`].
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static HEAP: mm::Global = mm::Global::new();
///
/// mm::no_leaks_untyped(|_| drop(vec![1; 100]));
///
/// let leaky = std::panic::catch_unwind(|| {
///     mm::no_leaks_untyped(|_| vec![1_u8; 100].leak().len());
/// });
/// assert!(leaky.unwrap_err().downcast_ref::<String>().unwrap().contains("(untyped 112)"));
/// ```
#[track_caller]
pub fn no_leaks_untyped<R>(body: impl FnOnce(&LeakScope) -> R) -> R {
    without_leaks(Counted::All, body)
}

#[track_caller]
fn without_leaks<R>(counted: Counted, body: impl FnOnce(&LeakScope) -> R) -> R {
    let scope = LeakScope::begin(counted);
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
    counted: Counted,
}

impl LeakScope {
    #[track_caller]
    fn begin(counted: Counted) -> Self {
        let Some(number) = ScopeNumber::take() else {
            panic!("{MOST_SCOPES} leak scopes are under way, which is the most there can be");
        };
        startup::begin();
        begin_scope(counted);
        Self {
            number,
            outer: heap::scope(),
            counted,
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
        // The profile itself is untyped memory, and no leak.
        let _left = Left(heap::enter_scope(0));
        leaks_of_scope(self.counted, self.number.number())
    }
}

impl Drop for LeakScope {
    fn drop(&mut self) {
        end_scope(self.counted, self.number.number(), self.outer);
    }
}

impl fmt::Debug for LeakScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakScope").finish_non_exhaustive()
    }
}

/// Runs `body` in a scope, and leaves the scope when `body` returns or panics.
fn run_in<T>(number: ScopeNumber, body: impl FnOnce() -> T) -> T {
    // The scope is left before its number may be reused.
    let number = number;
    let _left = Left(heap::enter_scope(number.number()));
    body()
}

/// The scope that the thread was in, and is in again when this is dropped.
struct Left(Scope);

impl Drop for Left {
    fn drop(&mut self) {
        heap::enter_scope(self.0);
    }
}
