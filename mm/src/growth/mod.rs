//! The watcher: finds families that grow steadily, and the call sites that allocate in them.
//!
//! # The method
//!
//! A sample of a family is its live units at one moment. The watcher keeps *floors*: the fewest live
//! units in a segment of two samples, of four, and so on, on [`LEVELS`] levels, with the newest
//! [`KEPT`] floors of each. Memory that a program holds for a moment is not part of a floor; memory that
//! it leaks is part of all later floors. With a sample a second a level's floors span 46 s, 92 s, and so
//! on up to 6.5 hours.
//!
//! A family *grows steadily* when, on any level,
//!
//! 1. its floors are no random walk without a drift: the rates from each floor to the next have a
//!    mean that is 10 times its standard error (Student's t; "The probable error of a mean",
//!    Biometrika 6, 1908). Floors depend on those before them, but rates of a random walk do not, so
//!    the rates are tested. A stationary family's floors fluctuate less than a random walk's, so
//!    for those the test is conservative. 23 rates without a drift reach it once in 1.6e9 times: with
//!    1,000 families and at most 3,600 tests of each in an hour, once in 450 hours if all were such
//!    walks (the bound of Bonferroni);
//! 2. they rise by 32 units or more, since Student's t is not made for a handful of single steps;
//! 3. the second half of the rise is no slower than nine tenths of the first, nor the whole than
//!    nine tenths of the rise before: what loads, or fills up, slows down;
//! 4. the floors span twice the longest rise that the family ever *gave back*. A batch that fills
//!    for a minute and is flushed makes a verdict rest on more than two minutes, and a wave of hours
//!    on hours. What was given back before is the best guess of what will be.
//!
//! Half as much evidence (t of 5 from half of the floors) makes a family a *suspect*, which is
//! tracked, so that its call sites are known by the time it is named.
//!
//! The method cannot tell a leak from the *first* rise of a family that takes longer than a verdict
//! and is given back only later: until then the figures are the same. Programs with such rises can
//! delay the first verdict; see [`WatchBuilder::settle`].

mod clock;
mod data;
mod history;
mod judge;
mod named;
mod rhythm;
mod ring;
#[cfg(test)]
pub(crate) mod samples;
mod shared;
#[cfg(test)]
mod sim;
mod suspect;
#[cfg(test)]
mod tests;
mod tracking;
mod trend;
mod watch;
mod worker;

pub use self::data::Growth;
pub use self::watch::{Watch, WatchBuilder, watch};

/// Floors that are kept of each level.
const KEPT: usize = 24;

/// Levels of floors, each of segments twice as long as those of the one before.
const LEVELS: usize = 10;

/// What the watcher keeps of one family, at most, in bytes.
#[cfg(test)]
const BYTES_PER_FAMILY: usize = 2_304;
