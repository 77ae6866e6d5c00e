//! The public interface of the watcher: the builder, and the handle.

use core::fmt;
use core::time::Duration;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Growth;
use super::shared::{End, Shared};
use super::worker::{OnGrowth, Worker};
use crate::os::forks;

/// The shortest and the longest time between samples; adding the longest to the present cannot overflow.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Configures a watcher, which names the families that grow steadily.
///
/// The watcher is a thread that reads the live units of every family at an interval, and keeps at most
/// 2.25 KiB of history for each. It starts with [`start`](WatchBuilder::start). The documentation of
/// [`WatchBuilder`] says what it finds, and how soon.
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
        on_growth: None,
    }
}

/// Settings of a watcher for growth; made by [`watch`].
///
/// # What is found, and how soon
///
/// If a family grows by one unit a second and is sampled once a second, the watcher finds it within a
/// minute. It takes longer if growth is slower, or if other changes of the family hide it:
///
/// | units a second | besides | named after |
/// | --- | --- | --- |
/// | 1 | nothing, or 10,000 live units give or take 1 | 40 to 55 s |
/// | 1 | 10,000 live units, give or take 5 | 1.5 to 4 min |
/// | 1 | 10,000 live units, give or take 20 | 3 to 8 min |
/// | 1 | 10,000 live units, give or take 200 | 12 to 30 min |
/// | 1 | live units that vary normally, with a deviation of 20 | 12 to 30 min |
/// | 1 | live units that vary normally, with a deviation of 200 | 1 to 4 hours |
/// | 1, at random moments | nothing | 1 to 4 min |
/// | 1 in 10 s | nothing | 6 to 7 min |
/// | 1 in 10 s, at random moments | nothing | 10 to 60 min |
///
/// A minute thus suffices while the noise is at most the growth of one second. A family that has filled
/// and been flushed, or that swings, is judged by spans of at least twice its longest rise so far.
/// The longest span is 23 times 1,024 samples: 6.5 hours at one a second. A family that gave back a
/// rise of more than half of that is not named.
///
/// Families that stay level, step, swing, shrink or level off are not named. But the watcher cannot
/// tell a leak from a family that fills *evenly* for longer than a minute for the first time: a batch, a
/// cache, or sessions that arrive at random and stay for minutes, until their number is stable. Programs
/// that begin like that call [`settle`](Self::settle). A verdict reports growth; the call sites show
/// whether it is a leak.
///
/// The method is Student's t test of a random walk's drift ("The probable error of a mean",
/// Biometrika 6, 1908), over the fewest live units of each of 24 segments. With 1,000 families of
/// sixteen ordinary kinds, simulated for 150,000 hours of a family's life, it named none but those
/// that leaked.
#[must_use = "nobody watches before `start`"]
pub struct WatchBuilder {
    every: Duration,
    settled: Duration,
    is_tracking: bool,
    on_growth: Option<OnGrowth>,
}

impl WatchBuilder {
    /// Sets the time from one sample to the next: at least a millisecond, and at most a day. The default
    /// is one second. All spans of the method are counted in samples, and scale with this time.
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
    /// then grows again. By default a line on standard error names it.
    ///
    /// The watcher's thread calls it, with no lock held. It may allocate, drop the [`Watch`], or wait for
    /// a thread that drops it. If it panics, the watcher continues without it: it prints a message on
    /// standard error, and names families there from then on.
    ///
    /// ```
    /// let watch = mm::watch().on_growth(|growth| println!("{}", growth.name)).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_growth(mut self, callback: impl FnMut(&Growth) + Send + 'static) -> Self {
        self.on_growth = Some(Box::new(callback));
        self
    }

    /// Sets whether the watcher tracks a suspect until a verdict, and as long as it grows, so that its
    /// call sites are known. The default is true.
    ///
    /// At most 8 suspects are tracked at a time. The watcher does not touch a family that is tracked
    /// already, or whose tracking changes meanwhile. It cannot see a change to
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

    /// Starts to watch.
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
            self.on_growth,
        );
        let every = self.every;
        let thread = thread::Builder::new()
            .name("mm-watch".to_owned())
            .spawn(move || worker.run(started, every))?;
        Ok(Watch {
            shared,
            started,
            process: process::id(),
            generation: forks::count(),
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
/// The drop waits until the thread takes no more samples and calls no user code any more, which usually
/// is at once. If the callback or a subscriber of `tracing` runs, or a line on standard error is not
/// read, the drop waits for one second; the thread then ends by itself, after the call in progress. A
/// forked child has no such thread: there the watch names no family, and the families that it tracked
/// stay tracked.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watch {
    shared: Arc<Shared>,
    started: Instant,
    /// The process that has the thread.
    process: u32,
    generation: u64,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Returns the families that grow steadily, with their current figures, in the order in which they
    /// were named.
    ///
    /// It takes time in proportion to the pages of these families, and to their units if they are
    /// tracked, as [`PageFamily::profile`](crate::PageFamily::profile) does.
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
        let named = self.shared.named();
        let now = self.started.elapsed();
        named.into_iter().map(|named| named.growth(now)).collect()
    }

    /// Whether this is the process that started the thread, and not a child that was forked.
    fn has_thread(&self) -> bool {
        self.process == process::id() && self.generation == forks::count()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.has_thread() {
            // Locks that the thread held at the fork stay held: none is safe to take.
            core::mem::forget(self.thread.take());
            return;
        }
        self.shared.stop();
        let thread = self.thread.take();
        // A callback that drops the watch cannot wait for itself.
        let thread = thread.filter(|own| own.thread().id() != thread::current().id());
        if let Some(thread) = thread
            && self.shared.wait_for_end() == End::Over
        {
            // A thread that panicked has printed its message itself.
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
