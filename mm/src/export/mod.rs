//! Snapshots and profiles in formats that other programs read.
//!
//! What is a person's to read is in [`report`](crate::report). Here everything is there under the
//! names and in the units of the format, whole and unrounded.

#[cfg(feature = "json")]
mod json;
mod openmetrics;
#[cfg(feature = "pprof")]
mod pprof;

#[cfg(all(test, any(feature = "json", feature = "pprof")))]
mod samples;

pub use self::openmetrics::OpenMetrics;
