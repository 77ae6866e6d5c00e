//! The ends of threads.

use std::thread::ScopedJoinHandle;

/// Waits until all `threads` of a scope have ended, and returns what they returned.
///
/// A scope itself does not wait for the destructors of its threads' locals, of which mm's gives back
/// what the thread has in its cache. A test that counts after the scope calls this in it.
///
/// # Panics
///
/// If one of the threads panicked.
pub fn join_all<'scope, T>(
    threads: impl IntoIterator<Item = ScopedJoinHandle<'scope, T>>,
) -> Vec<T> {
    // All are started before the first is waited for.
    let threads: Vec<_> = threads.into_iter().collect();
    let ends = threads.into_iter().map(ScopedJoinHandle::join);
    ends.map(|end| end.expect("no panic")).collect()
}
