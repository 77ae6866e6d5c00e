//! The time, for records of allocations.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// In a forked child, the moment of the fork; else 0.
static FORKED: AtomicU64 = AtomicU64::new(0);

/// Milliseconds since some moment before the process began, counted from 1; 0 if the system has no clock.
///
/// Times of a forked child are later than all times that its copy of the parent's memory contains, even
/// if the fork took less than a millisecond: [`is_inherited`] distinguishes them.
pub(crate) fn milliseconds() -> u64 {
    raw_milliseconds().max(FORKED.load(Relaxed) + 1)
}

/// As [`milliseconds`], but a few milliseconds late at most, and cheaper.
///
/// Source: `CLOCK_MONOTONIC_COARSE` in `clock_gettime(2)`.
#[cfg(target_os = "linux")]
pub(crate) fn coarse_milliseconds() -> u64 {
    milliseconds_of(now_by(libc::CLOCK_MONOTONIC_COARSE)).max(FORKED.load(Relaxed) + 1)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn coarse_milliseconds() -> u64 {
    milliseconds()
}

/// Ticks in a millisecond.
pub(crate) const TICKS_PER_MILLISECOND: u32 = 16;

/// Sixteenths of a millisecond since some moment; begins again after 3 days.
#[cfg(unix)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number begins again"
)]
pub(crate) fn ticks() -> u32 {
    let now = now();
    let seconds = (now.tv_sec as u32).wrapping_mul(1_000 * TICKS_PER_MILLISECOND);
    seconds.wrapping_add(now.tv_nsec as u32 / (1_000_000 / TICKS_PER_MILLISECOND))
}

/// Sixteenths of a millisecond: without a finer clock, whole milliseconds.
#[cfg(not(unix))]
#[allow(clippy::cast_possible_truncation, reason = "begins again")]
pub(crate) fn ticks() -> u32 {
    raw_milliseconds() as u32 * TICKS_PER_MILLISECOND
}

/// Starts a forked child's time.
pub(crate) fn adopt_in_child() {
    FORKED.store(milliseconds(), Relaxed);
}

/// Whether the process was forked while mm held its locks.
pub(crate) fn was_forked() -> bool {
    FORKED.load(Relaxed) > 0
}

/// Whether something that happened at `moment` happened in the process that forked this one.
pub(crate) fn is_inherited(moment: u64) -> bool {
    moment <= FORKED.load(Relaxed)
}

/// It needs no stored start: a child that is forked while another thread stores one would wait for
/// ever. Source: `CLOCK_MONOTONIC` in `clock_gettime(2)`.
#[cfg(unix)]
fn raw_milliseconds() -> u64 {
    milliseconds_of(now())
}

#[cfg(unix)]
fn milliseconds_of(now: libc::timespec) -> u64 {
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let rest = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000 + rest / 1_000_000
}

/// The time since some moment; 0 if the system has no clock.
#[cfg(unix)]
fn now() -> libc::timespec {
    now_by(libc::CLOCK_MONOTONIC)
}

/// The time by one of the system's clocks; 0 if the system does not have it.
#[cfg(unix)]
fn now_by(clock: libc::clockid_t) -> libc::timespec {
    let nothing = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut now = nothing;
    // SAFETY: `now` is a value of the type the call fills.
    let answer = unsafe { libc::clock_gettime(clock, &raw mut now) };
    if answer == 0 { now } else { nothing }
}

/// Milliseconds since the first call, counted from 1.
#[cfg(not(unix))]
fn raw_milliseconds() -> u64 {
    static START: super::lock::OnceLock<std::time::Instant> = super::lock::OnceLock::new();
    let since = START.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(since.as_millis()).map_or(u64::MAX, |passed| passed.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moment_is_inherited_without_a_fork() {
        assert!(!was_forked() && !is_inherited(milliseconds()));
    }
}
