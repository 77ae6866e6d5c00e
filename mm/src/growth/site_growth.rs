//! A call site of untyped memory that grows: what the watcher keeps of it, and what it reports.

use core::time::Duration;

use super::site;
use super::staying::{Found, Growing};

/// A call site whose untyped memory grows steadily, with its figures at one moment; of a program whose global allocator
/// is [`Global`](crate::Global).
///
/// Figures are estimates from samples; see [`HeapUsage`](crate::HeapUsage). Displayed, it is one line: the site, its
/// rate, and what it holds.
///
/// # Examples
///
/// ```
/// let watch = mm::watch().start()?;
/// for growth in watch.growing_sites() {
///     println!("{growth}");
///     assert!(growth.bytes_per_second > 0.0);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SiteGrowth {
    /// The site: the innermost call in the program's own crates, or an address if that is not known.
    pub site: Box<str>,
    /// The type that the stack allocates which holds most of it, if it is known.
    pub type_name: Option<Box<str>>,
    /// Return addresses of the stack that holds most of it, the innermost first.
    pub addresses: &'static [usize],
    /// Time since the rise began. It counts only the time that was judged: the rise may have begun earlier.
    pub growing_for: Duration,
    /// Bytes per second that were allocated there and not released.
    pub bytes_per_second: f64,
    /// Blocks per second that were allocated there and not released.
    pub blocks_per_second: f64,
    /// Bytes of live blocks.
    pub live_bytes: f64,
    /// Live blocks.
    pub live_blocks: f64,
    /// Sampled blocks that are live.
    pub samples: u64,
}

/// A site, and what the last look found there.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrowingSite {
    pub(super) number: usize,
    stack: &'static [usize],
    found: Found,
    /// How it grows, once it is named.
    pub(super) growing: Option<Growing>,
}

impl GrowingSite {
    pub(super) fn new(number: usize, stack: &'static [usize], found: Found) -> Self {
        Self {
            number,
            stack,
            found,
            growing: None,
        }
    }

    /// Returns the site's growth. `now` is the time since the watcher started.
    pub(super) fn growth(self, now: Duration) -> SiteGrowth {
        let growing = self.growing.unwrap_or_default();
        let since = Duration::try_from_secs_f64(growing.since).unwrap_or_default();
        let (site, type_name) = site::describe(self.stack);
        SiteGrowth {
            site: (*site).into(),
            type_name: type_name.map(|name| (*name).into()),
            addresses: self.stack,
            growing_for: now.saturating_sub(since),
            bytes_per_second: growing.bytes_per_second,
            blocks_per_second: growing.blocks_per_second,
            live_bytes: self.found.bytes,
            live_blocks: self.found.blocks,
            samples: self.found.samples,
        }
    }
}

/// A site that grows, for tests of other modules.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// Returns the growth of a site by 20 KiB a second.
    pub(crate) fn cache() -> SiteGrowth {
        SiteGrowth {
            site: "src/cache.rs:51".into(),
            type_name: None,
            addresses: &[],
            growing_for: Duration::from_secs(48),
            bytes_per_second: 20_480.0,
            blocks_per_second: 20.0,
            live_bytes: 1_048_576.0,
            live_blocks: 1_024.4,
            samples: 16,
        }
    }
}
