//! Snapshots and profiles in formats that other programs read.
//!
//! What is a person's to read is in [`report`](crate::report). Here everything is there under the
//! names and in the units of the format, whole and unrounded.

mod openmetrics;

pub use self::openmetrics::OpenMetrics;
