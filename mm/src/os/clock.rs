//! The time, for what is recorded.

use std::time::Instant;

use super::lock::OnceLock;

/// Milliseconds since the first call.
pub(crate) fn milliseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
