//! How much of the tests runs: all of it in CI, less in a developer's run.

use std::env;

/// Whether all is to run: `MM_TEST_ALL` is set. What is left out otherwise takes longer than it is
/// likely to find something: more rounds of the same, and tools that slow a program down.
#[must_use]
pub fn is_whole() -> bool {
    env::var_os("MM_TEST_ALL").is_some()
}

/// Returns `all` if all is to run, and `some` otherwise.
#[must_use]
pub fn share<T>(some: T, all: T) -> T {
    if is_whole() { all } else { some }
}
