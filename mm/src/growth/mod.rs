//! The watcher: finds families whose live units grow steadily, and the call sites that allocate them.
//!
//! # Step by step
//!
//! 1. [`watch()`] collects the settings, and [`WatchBuilder::start`] starts a thread (`watch.rs`).
//! 2. At each interval the thread reads the live units of every family. This is a *sample*
//!    (`worker.rs`).
//! 3. For each family the watcher keeps *floors*: the fewest live units in a segment of samples
//!    (`history.rs`).
//! 4. The detector tests whether the floors of a family rise steadily (`detector.rs`). It looks at the
//!    significance and the shape of the rise (`trend.rs`), and compares its length with the rises that the
//!    family gave back before (`cycles.rs`).
//! 5. With half of the evidence that a verdict needs, the family is a *suspect*. The thread records the
//!    call sites of its allocations from then on (`tracking.rs`), so that they are known at the verdict.
//! 6. With all of it, the family is *named*: [`Watch::growing`] returns it, and the thread calls the
//!    user's callback or writes a line (`growing.rs`, `worker.rs`). `shared.rs` is the state that the
//!    thread and the handle share.
//! 7. When the family stops growing, it leaves the list, and the recording ends.
//!
//! # Call sites of untyped memory
//!
//! Under [`Global`](crate::Global) the size classes are families, too. Their figures do not say who allocates, so at each
//! look the thread also adds up the sampled blocks of all stacks by call site (`sites.rs`, `site.rs`), and judges which
//! of them stay (`staying.rs`, `site_growth.rs`).
//!
//! # Floors
//!
//! There are 10 levels. A segment of the first has two samples, and a segment of each further level has
//! twice as many as one of the level before. The newest 24 floors of each level are kept. Memory that a
//! program holds for a moment is not part of a floor; memory that it leaks is part of all later floors.
//! With one sample a second the floors of a level span 46 s, 92 s, and so on up to 6.5 hours.
//!
//! # Steady growth
//!
//! A family grows steadily when all of this holds on at least one level:
//!
//! 1. The rise is significant. The test takes the rates from each floor to the next. Their mean is at
//!    least 10 times its standard error (Student's t; "The probable error of a mean", Biometrika 6, 1908).
//!    The null hypothesis is a random walk without drift. The rates are tested, and not the floors,
//!    because floors depend on earlier floors, and the rates of a random walk do not depend on earlier
//!    rates. The floors of a stationary family fluctuate less than those of a random walk, so the test is
//!    conservative for such a family. By chance, 23 rates without a drift pass it once in 1.6e9 times.
//!    With 1,000 families and at most 3,600 tests of each in an hour that is once in 450 hours, if every
//!    family were such a walk (Bonferroni's bound).
//! 2. The rise is at least 32 units. Student's t is for numbers that vary smoothly, and not for a handful
//!    of single steps.
//! 3. The rise does not slow down, as it does in a family that loads data or fills a cache. The second half of
//!    the floors rises at least nine tenths as fast as the first half, and all of them together at least nine
//!    tenths as fast as the floors before them.
//! 4. The floors span at least twice the longest rise that the family ever *gave back*. If a batch fills
//!    for a minute and is flushed, the next verdict needs more than two minutes; after a wave of hours it
//!    needs hours. The best guess for what the family will give back is what it gave back before.
//!
//! A suspect needs half of the floors, with a t of 5 and a rise of 12 units, and these have to span the
//! longest rise once.
//!
//! # Limits of the method
//!
//! A family may rise for the *first* time, for longer than a verdict takes, and give the rise back later.
//! Until it does, its figures are those of a leak, and the watcher names it. Programs with such rises can
//! delay the first verdict; see [`WatchBuilder::settle`].

mod cycles;
mod detector;
mod growing;
mod history;
mod shared;
mod site;
mod site_growth;
mod sites;
mod staying;
#[cfg(test)]
mod tests;
mod tracking;
mod trend;
mod watch;
mod worker;

pub use self::growing::Growth;
#[cfg(test)]
pub(crate) use self::growing::samples;
pub use self::site_growth::SiteGrowth;
#[cfg(test)]
pub(crate) use self::site_growth::samples as site_samples;
pub use self::watch::{Watch, WatchBuilder, watch};
