//! The public interface of the watcher: its settings, [`WatchBuilder`], and its handle, [`Watch`].

use core::fmt;
use core::time::Duration;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::shared::Shared;
use super::worker::{Callbacks, Worker};
use super::{Growth, SiteGrowth};
use crate::os::forks;

/// The shortest time between samples.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest time between samples. Adding it to the present cannot overflow.
const LONGEST: Duration = Duration::from_hours(24);

/// Configures a watcher, which names the families that grow steadily.
///
/// The watcher is a thread that reads the live units of every family at an interval, and keeps at most
/// 2.25 KiB of history for each, and 12 KiB for each call site of untyped memory.
/// [`start`](WatchBuilder::start) starts it. [`WatchBuilder`] describes which
/// growth it finds, and how soon.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let watch = mm::watch()
///     .every(Duration::from_secs(1))
///     .on_growth(|growth| println!("{growth}"))
///     .start()?;
/// // The program runs.
/// drop(watch);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn watch() -> WatchBuilder {
    WatchBuilder {
        every: Duration::from_secs(1),
        settled: Duration::ZERO,
        is_tracking: true,
        callbacks: Callbacks::default(),
    }
}

/// Settings of a watcher; [`watch`] makes them.
///
/// # Which growth is found, and how soon
///
/// If a family grows by one unit a second and is sampled once a second, the watcher finds it within a
/// minute. It takes longer if the family grows more slowly, or if its other live units vary:
///
/// | growth, in units a second | other live units | named after |
/// | --- | --- | --- |
/// | 1 | none, or 10,000 give or take 1 | 40 to 55 s |
/// | 1 | 10,000 give or take 5 | 1.5 to 4 min |
/// | 1 | 10,000 give or take 20 | 3 to 8 min |
/// | 1 | 10,000 give or take 200 | 12 to 30 min |
/// | 1 | normally distributed, with a standard deviation of 20 | 12 to 30 min |
/// | 1 | normally distributed, with a standard deviation of 200 | 1 to 4 hours |
/// | 1, at random moments | none | 1 to 4 min |
/// | 1 in 10 s | none | 6 to 7 min |
/// | 1 in 10 s, at random moments | none | 10 to 60 min |
///
/// A minute thus suffices while the noise is at most the growth of one second. If a family fills and is
/// flushed, or swings, the watcher judges it by spans of at least twice its longest rise so far. The
/// longest span is 23 times 1,024 samples: 6.5 hours at one a second. If a family gave back a rise of more
/// than half of that, the watcher does not name it.
///
/// Families that stay level, step, swing, shrink or level off are not named. But the watcher cannot
/// tell a leak from a family that fills *evenly* for longer than a minute for the first time: a batch, a
/// cache, or sessions that arrive at random and stay for minutes, until their number is stable. Programs
/// that begin like that call [`settle`](Self::settle). A verdict reports growth; the call sites show
/// whether it is a leak.
///
/// The method is Student's t test of a random walk's drift ("The probable error of a mean",
/// Biometrika 6, 1908), over the fewest live units of each of 24 segments. It was simulated with 1,000
/// families of sixteen ordinary kinds, for 150,000 hours of a family's life. It named only the families
/// that leaked.
#[must_use = "no watcher runs before `start`"]
pub struct WatchBuilder {
    every: Duration,
    settled: Duration,
    is_tracking: bool,
    callbacks: Callbacks,
}

impl WatchBuilder {
    /// Sets the time from one sample to the next: at least a millisecond, and at most a day. The default
    /// is one second. The method counts its spans in samples, so they scale with this time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let watch = mm::watch().every(Duration::from_millis(100)).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// Gives the program `time` to settle. Until then the watcher learns how families rise and fall, and
    /// names none. The default is zero.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let watch = mm::watch().settle(Duration::from_secs(600)).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn settle(mut self, time: Duration) -> Self {
        self.settled = time;
        self
    }

    /// Calls `callback` with each family that is named: once, and again only if it stopped growing and
    /// then grows again. By default the watcher writes a line to standard error instead.
    ///
    /// The watcher's thread calls `callback`, with no lock held. It may allocate, drop the [`Watch`], or
    /// wait for a thread that drops the `Watch`. If it panics, the watcher continues without it: it prints
    /// a message on standard error, and names families there from then on.
    ///
    /// ```
    /// let watch = mm::watch().on_growth(|growth| println!("{}", growth.name)).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_growth(mut self, callback: impl FnMut(&Growth) + Send + 'static) -> Self {
        self.callbacks.on_growth = Some(Box::new(callback));
        self
    }

    /// Calls `callback` with each call site of untyped memory that is named, under the same conditions as
    /// [`on_growth`](Self::on_growth). By default the watcher writes a line to standard error instead.
    ///
    /// Sites are those of a program whose global allocator is [`Global`](crate::Global), by samples of stacks. A site is
    /// named if 12 samples came evenly in 30 looks or more, and stay, and none went for three times as long; or if
    /// what stays is six standard deviations of what comes and goes. With a sample in 64 KiB and a look a second, a
    /// leak of 20 KiB/s is named within a minute in 94 of 100 runs, and in all within a minute and a half.
    ///
    /// ```
    /// let watch = mm::watch().on_site_growth(|growth| println!("{}", growth.site)).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_site_growth(mut self, callback: impl FnMut(&SiteGrowth) + Send + 'static) -> Self {
        self.callbacks.on_site_growth = Some(Box::new(callback));
        self
    }

    /// Sets whether the watcher tracks suspects, so that their call sites are known when it names them. It
    /// tracks a suspect until the verdict, and a named family as long as it grows. The default is true.
    ///
    /// At most 8 suspects are tracked at a time. If a family is tracked already, or if its tracking changes
    /// meanwhile, the watcher leaves it as it is. It cannot see a change to
    /// [`Track::All`](crate::Track::All), which it sets itself: if the program sets that while a family is
    /// a suspect or named, the tracking ends with the growth.
    ///
    /// ```
    /// let watch = mm::watch().track_suspects(false).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn track_suspects(mut self, is_wanted: bool) -> Self {
        self.is_tracking = is_wanted;
        self
    }

    /// Starts the watcher's thread.
    ///
    /// # Errors
    ///
    /// Returns the system's error if it cannot start a thread.
    ///
    /// ```
    /// let watch = mm::watch().start()?;
    /// assert!(watch.growing().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start(self) -> io::Result<Watch> {
        let shared = Arc::new(Shared::new());
        let started = Instant::now();
        let worker = Worker::new(
            Arc::clone(&shared),
            self.settled,
            self.is_tracking,
            self.callbacks,
        );
        let every = self.every;
        let thread = thread::Builder::new()
            .name("mm-watch".to_owned())
            .spawn(move || worker.run(started, every))?;
        Ok(Watch {
            shared,
            started,
            process: process::id(),
            forks: forks::count(),
            thread: Some(thread),
        })
    }
}

impl fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBuilder")
            .field("every", &self.every)
            .field("settled", &self.settled)
            .field("is_tracking", &self.is_tracking)
            .finish_non_exhaustive()
    }
}

/// A running watcher; dropping it ends the watch.
///
/// The drop waits until the thread takes no more samples and calls no more user code, which usually is at
/// once. If the callback or a subscriber of `tracing` runs, or if a write to standard error blocks, the drop
/// waits for that for one second at most. The thread then ends by itself, after the call in progress.
///
/// A forked child has no such thread: there the watch names no family, and the families that it tracked
/// stay tracked.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watch {
    shared: Arc<Shared>,
    started: Instant,
    /// The id of the process that has the thread. The kernel may give it to a descendant later.
    process: u32,
    /// The number of forks before that process, by which it differs from its descendants.
    forks: u64,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Returns the families that grow steadily, with their current figures, in the order in which they
    /// were named. In a forked child it returns none.
    ///
    /// The time is proportional to the pages of these families, and to their units if they are tracked, as
    /// that of [`PageFamily::profile`](crate::PageFamily::profile).
    ///
    /// ```
    /// let watch = mm::watch().start()?;
    /// for growth in watch.growing() {
    ///     println!("{}: {} units", growth.name, growth.live_units);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn growing(&self) -> Vec<Growth> {
        if !self.has_thread() {
            return Vec::new();
        }
        let growing = self.shared.growing();
        let now = self.started.elapsed();
        growing
            .into_iter()
            .map(|family| family.growth(now))
            .collect()
    }

    /// Returns the call sites of untyped memory that grow steadily, with their figures at the last look, in the order
    /// in which they were named. In a forked child it returns none.
    ///
    /// ```
    /// let watch = mm::watch().start()?;
    /// for growth in watch.growing_sites() {
    ///     println!("{}: {} B/s", growth.site, growth.bytes_per_second);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn growing_sites(&self) -> Vec<SiteGrowth> {
        if !self.has_thread() {
            return Vec::new();
        }
        let sites = self.shared.growing_sites();
        let now = self.started.elapsed();
        sites.into_iter().map(|site| site.growth(now)).collect()
    }

    /// Whether this is the process that started the thread, and not a forked child.
    fn has_thread(&self) -> bool {
        self.process == process::id() && self.forks == forks::count()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.has_thread() {
            // The thread may have held locks at the fork. They stay held, so the child must take none.
            core::mem::forget(self.thread.take());
            return;
        }
        self.shared.stop();
        let thread = self.thread.take();
        // If the callback drops the watch, the thread cannot wait for itself.
        let thread = thread.filter(|own| own.thread().id() != thread::current().id());
        if let Some(thread) = thread
            && self.shared.wait_until_joinable()
        {
            // If the thread panicked, it has printed its message itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_bounds() {
        assert_eq!(watch().every(Duration::ZERO).every, SHORTEST);
        assert_eq!(watch().every(Duration::MAX).every, LONGEST);
        assert!(Instant::now().checked_add(LONGEST).is_some());
    }
}
