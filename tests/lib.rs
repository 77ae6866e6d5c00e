//! Tests of mm as its users see it. The library itself is what several of them need, and the
//! README, whose code is a doctest.

mod again;
mod figures;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod filter;
mod forked;
mod random;
#[cfg(target_os = "linux")]
mod refusal;
mod share;

pub use again::{again, again_with, in_shell, is_child, is_child_with, limited, under};
pub use figures::{Tally, family, figures, records, release, resident};
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use filter::pretend;
pub use forked::in_a_child;
pub use random::Random;
#[cfg(target_os = "linux")]
pub use refusal::{open_nothing_more, refuse};
pub use share::{is_whole, share};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/reports.md")]
struct Reports;
