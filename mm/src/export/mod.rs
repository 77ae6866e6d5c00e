//! Snapshots and profiles in formats that other programs read.
//!
//! Reports for people are in [`report`](crate::report). These formats contain all figures, unrounded,
//! under the names and in the units of the format.

#[cfg(feature = "json")]
mod json;
mod openmetrics;
#[cfg(feature = "pprof")]
mod pprof;

#[cfg(all(test, any(feature = "json", feature = "pprof")))]
mod samples;

pub use self::openmetrics::OpenMetrics;
