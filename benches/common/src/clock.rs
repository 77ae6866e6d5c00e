//! Wall time and CPU time.

use std::time::{Duration, Instant};

/// A duration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Wall time.
    pub wall: Duration,
    /// CPU time of all threads of the process.
    pub cpu: Duration,
}

/// Runs `work` and returns its duration.
pub fn timed(work: impl FnOnce()) -> Took {
    let (start, cpu_before) = (Instant::now(), cpu_time());
    work();
    let cpu = cpu_time().saturating_sub(cpu_before);
    let wall = start.elapsed();
    Took { wall, cpu }
}

/// Returns the nanoseconds of one operation.
#[must_use]
pub fn each(took: Duration, operations: u64) -> f64 {
    took.as_secs_f64() * 1e9 / count(operations)
}

/// Converts a count to `f64`.
///
/// # Panics
///
/// Never: each half of 64 bits has 32 bits.
#[must_use]
pub fn count(number: u64) -> f64 {
    let high = u32::try_from(number >> 32).expect("a half of 64 bits has 32");
    let low = u32::try_from(number & u64::from(u32::MAX)).expect("a half of 64 bits has 32");
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// Returns the CPU time of the process so far.
fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the address is that of a `timespec` that only this function uses.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has the clock of a process");
    let seconds = u64::try_from(time.tv_sec).expect("no process has used less than nothing");
    let nanoseconds = u32::try_from(time.tv_nsec).expect("a second has fewer");
    Duration::new(seconds, nanoseconds)
}
