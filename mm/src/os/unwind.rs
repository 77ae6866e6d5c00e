//! Return addresses of the calling thread, if they are recorded.

use core::ops::Deref;
#[cfg(feature = "backtrace")]
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Addresses that are kept of one stack at most, and those among them that lie in mm or in std: so
/// many are added to what is wanted.
const MOST_FRAMES: usize = 80;
#[cfg(feature = "backtrace")]
const OWN_FRAMES: usize = 16;

/// How many addresses are kept.
#[cfg(feature = "backtrace")]
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Return addresses, the innermost first.
#[derive(Debug)]
pub(crate) struct Frames {
    addresses: [usize; MOST_FRAMES],
    count: usize,
}

impl Deref for Frames {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.addresses[..self.count]
    }
}

impl Frames {
    const fn none() -> Self {
        Self {
            addresses: [0; MOST_FRAMES],
            count: 0,
        }
    }

    /// A stack made by hand.
    #[cfg(test)]
    pub(crate) fn of(addresses: &[usize]) -> Self {
        let mut frames = Self::none();
        frames.addresses[..addresses.len()].copy_from_slice(addresses);
        frames.count = addresses.len();
        frames
    }
}

/// Sets how many return addresses [`frames`] finds at most; none at the start.
#[cfg(feature = "backtrace")]
pub(crate) fn want(frames: usize) {
    let all = frames.saturating_add(OWN_FRAMES).min(MOST_FRAMES);
    WANTED.store(if frames == 0 { 0 } else { all }, Relaxed);
}

/// The calling thread's stack, as far as it is wanted.
#[cfg(feature = "backtrace")]
pub(crate) fn frames() -> Frames {
    let mut frames = Frames::none();
    let wanted = WANTED.load(Relaxed);
    if wanted == 0 {
        return frames;
    }
    let note = |frame: &backtrace::Frame| {
        frames.addresses[frames.count] = frame.ip().addr();
        frames.count += 1;
        frames.count < wanted
    };
    // SAFETY: `trace_unsynchronized` must not run at the same time as a look-up of symbols through
    // `dbghelp`, which is on Windows alone; mm unwinds on Unix.
    unsafe { backtrace::trace_unsynchronized(note) };
    frames
}

/// The calling thread's stack: without the feature `backtrace`, unknown.
#[cfg(not(feature = "backtrace"))]
pub(crate) fn frames() -> Frames {
    Frames::none()
}
