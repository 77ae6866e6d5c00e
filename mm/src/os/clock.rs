//! The time, for what is recorded.

/// Milliseconds since some moment before the process began; 0 where the system does not say.
///
/// From no moment that is kept: a child that is forked while another thread keeps it would wait
/// for ever. Source: `CLOCK_MONOTONIC` in `clock_gettime(2)`.
#[cfg(unix)]
pub(crate) fn milliseconds() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a value of the type the call fills.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    if answer != 0 {
        return 0;
    }
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let rest = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000 + rest / 1_000_000
}

/// Milliseconds since the first call, counted from 1.
#[cfg(not(unix))]
pub(crate) fn milliseconds() -> u64 {
    static START: super::lock::OnceLock<std::time::Instant> = super::lock::OnceLock::new();
    let since = START.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(since.as_millis()).map_or(u64::MAX, |passed| passed.saturating_add(1))
}
