//! Options for the whole process, from the program and from `MM_OPTIONS`.
//!
//! | file | job |
//! | --- | --- |
//! | `mod.rs` | [`Options`], the builder |
//! | `parse.rs` | reads options from a text |
//! | `apply.rs` | applies them to the process, once |
//! | `display.rs` | writes options as a text |
//! | `error.rs` | [`OptionsError`] |

mod apply;
mod display;
mod error;
mod parse;

pub(crate) use self::apply::{resolve, resolve_untyped};
pub use self::error::OptionsError;

use crate::heap::hardening::{Hardening, OnRelease};
use crate::heap::{HugePages, heap_limit};
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;
use crate::track::Track;

/// Hardening and recording options, chosen once, before the first use of mm.
///
/// In a program whose global allocator is [`Global`](crate::Global) they are chosen before the first typed
/// block; [`apply`](Self::apply) says what that means for untyped memory.
///
/// `main` chooses them through this builder. The environment of the program can choose them too:
/// `MM_OPTIONS=poison,quarantine=64MiB`. Options from the environment are added to those from `main`, and
/// never switch one off. If both give a size or a number, mm uses the one that protects more, or that records
/// more. For huge pages and for the exit code of `leaks`, it uses the environment's. By default all options are
/// off and cost nothing. In a program that is set-user-ID, or that has elevated privileges in another way, mm
/// ignores the environment.
///
/// mm reads the environment with which the process was started, and ignores changes that the program makes
/// by [`set_var`](std::env::set_var). On systems other than Linux it reads the environment when mm is first
/// used.
///
/// `cargo run --release --example hardening` measures the cost of each hardening option, and
/// `cargo run --release --example tracking` the cost of recording.
///
/// # Examples
///
/// ```
/// let options: mm::Options = "poison,quarantine=1MiB".parse()?;
/// assert_eq!(options, mm::Options::new().poison().quarantine(1 << 20));
/// options.apply()?;
/// # Ok::<(), mm::OptionsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    hardening: Hardening,
    huge: HugePages,
    /// One block in this many is recorded; none if it is 0.
    every: u32,
    /// Return addresses that are recorded for each block.
    frames: usize,
    /// The exit code after a leak, or 0 to keep the program's; `None` if leaks are not reported at exit.
    leaks: Option<u8>,
    /// Whether untyped memory counts as leaked.
    untyped_leaks: bool,
    /// The most bytes that all families may hold.
    limit: u64,
    /// A bit for each signal at which a report is written.
    signals: u128,
    /// The mean number of bytes between two samples of untyped memory, 0 for none; `None` if nothing was chosen.
    sample: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl Options {
    /// Returns options that are all off.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            hardening: Hardening {
                random: false,
                fill: OnRelease::Nothing,
                guard: false,
                quarantine: 0,
            },
            huge: HugePages::Auto,
            every: 0,
            frames: 0,
            leaks: None,
            untyped_leaks: false,
            limit: heap_limit::NONE,
            signals: 0,
            sample: None,
        }
    }

    /// Hands out units in random order, so that the next address is hard to predict.
    ///
    /// The order is random within a VM page. The random numbers are not cryptographic.
    #[must_use]
    pub const fn random_order(mut self) -> Self {
        self.hardening.random = true;
        self
    }

    /// Fills blocks with zero bytes when they are released, so that their contents are gone.
    ///
    /// The memory of blocks larger than a VM page is returned to the kernel instead, if the kernel
    /// accepts it.
    #[must_use]
    pub const fn zero_on_release(mut self) -> Self {
        if matches!(self.hardening.fill, OnRelease::Nothing) {
            self.hardening.fill = OnRelease::Zero;
        }
        self
    }

    /// Fills blocks with the byte `0xDF` when they are released, and checks it on the next allocation.
    ///
    /// If a byte has changed by then, the program wrote to a block after its release: mm prints the
    /// family and the address, and aborts. This option replaces
    /// [`zero_on_release`](Self::zero_on_release), since it erases the contents too.
    ///
    /// The memory of blocks larger than a VM page is returned to the kernel instead, if the kernel
    /// accepts it.
    #[must_use]
    pub const fn poison(mut self) -> Self {
        self.hardening.fill = OnRelease::Poison;
        self
    }

    /// Ends every VM page, and every block larger than one, with an inaccessible OS page.
    ///
    /// If the program writes past the last unit, the kernel ends the process at once, before the write
    /// reaches other memory.
    ///
    /// Inside a VM page units still lie side by side. From Linux 6.13 on guards cost no mappings. Before
    /// that each guard costs two. Guards use at most a quarter of the kernel's `max_map_count`, and pages
    /// beyond that get no guard. The option has no effect on the portable backend, and none for VM pages of
    /// fewer than four OS pages. Source: `MADV_GUARD_INSTALL` in madvise(2).
    #[must_use]
    pub const fn guard_pages(mut self) -> Self {
        self.hardening.guard = true;
        self
    }

    /// Keeps released blocks in quarantine, up to `bytes` bytes of each family.
    ///
    /// mm does not hand the newest of them out for a while, so that a stale pointer does not reach a new value.
    /// They count as cached. If memory runs out, a family empties its own quarantine.
    ///
    /// Blocks larger than a VM page are not quarantined.
    #[must_use]
    pub const fn quarantine(mut self, bytes: usize) -> Self {
        self.hardening.quarantine = bytes;
        self
    }

    /// Sets where memory is backed by huge OS pages. `MM_OPTIONS=huge=never`, `huge=auto` and
    /// `huge=always` set it too, and take precedence.
    ///
    /// With [`HugePages::Always`] each family takes at least 2 MiB, and random access to much memory
    /// becomes faster. The option has no effect on the portable backend. Source: `MADV_HUGEPAGE` in
    /// madvise(2).
    ///
    /// # Examples
    ///
    /// ```
    /// let options: mm::Options = "huge=never".parse()?;
    /// assert_eq!(options, mm::Options::new().huge_pages(mm::HugePages::Never));
    /// # Ok::<(), mm::OptionsError>(())
    /// ```
    #[must_use]
    pub const fn huge_pages(mut self, huge: HugePages) -> Self {
        self.huge = huge;
        self
    }

    /// Records the call sites of allocations from the start. [`track`](crate::track()) does the same from a
    /// later time on.
    #[must_use]
    pub fn track(mut self, which: Track) -> Self {
        self.every = which.every();
        self
    }

    /// Records the stack of each recorded allocation: up to `frames` return addresses, 64 at most.
    #[cfg(feature = "backtrace")]
    #[must_use]
    pub const fn backtrace(mut self, frames: usize) -> Self {
        self.frames = frames;
        self
    }

    /// Samples one byte in `bytes` of the untyped memory of [`Global`](crate::Global), on average: 64 KiB by default.
    ///
    /// The stacks of the sampled blocks tell [`heap_profile`](crate::heap_profile()) who allocated the memory. With 0
    /// no block is sampled, and with 1 every block. Other intervals are at least 256 bytes and at most 4 MiB. When
    /// more than 100,000 sampled blocks live, the interval doubles. Unless this
    /// was called, a thread that allocates more than about a gigabyte in a second samples less often, so that the
    /// samples cost it about a hundredth of its time.
    ///
    /// In the environment this is `MM_OPTIONS=sample=64KiB`, or `sample=off`, which takes precedence. It has no effect
    /// without the feature `sampling`, and on other systems than Linux on x86-64 and aarch64.
    ///
    /// # Examples
    ///
    /// ```
    /// let options: mm::Options = "sample=16KiB".parse()?;
    /// assert_eq!(options, mm::Options::new().sample_interval(16 << 10));
    /// # Ok::<(), mm::OptionsError>(())
    /// ```
    #[must_use]
    pub const fn sample_interval(mut self, bytes: usize) -> Self {
        self.sample = Some(bytes);
        self
    }

    /// Reports leaks when the process ends, as [`report_leaks_at_exit`](crate::report_leaks_at_exit) does,
    /// and sets its exit code.
    ///
    /// If anything leaked, the process ends with the exit code `code`; 0 keeps the program's own.
    #[must_use]
    pub const fn leaks_at_exit(mut self, code: u8) -> Self {
        self.leaks = Some(code);
        self
    }

    /// Counts untyped memory among the leaks of [`leaks_at_exit`](Self::leaks_at_exit), as
    /// [`LeaksAtExit::untyped`](crate::LeaksAtExit::untyped) does. `MM_OPTIONS=leaks=3,untyped` is the same.
    #[must_use]
    pub const fn untyped_leaks(mut self) -> Self {
        self.untyped_leaks = true;
        self
    }

    /// Sets the most bytes that all families may hold, as [`set_limit`](crate::set_limit) does. In the environment
    /// this is `MM_OPTIONS=limit=2GiB`. The smaller one of two limits applies.
    #[must_use]
    pub const fn limit(mut self, bytes: u64) -> Self {
        if bytes < self.limit {
            self.limit = bytes;
        }
        self
    }

    /// Writes a report to standard error whenever this signal arrives, as
    /// [`report_on_signal`](crate::report_on_signal) does. Call it once for each signal.
    ///
    /// In the environment this is `MM_OPTIONS=signal=HUP`, or `signal=1`. The call of
    /// [`apply`](Self::apply), or else the first use of mm, starts the thread that writes. Requires the
    /// feature `signal`, on Unix.
    ///
    /// # Errors
    ///
    /// Returns [`OptionsError::BadSignal`] for a signal that cannot be handled, or that results from a fault.
    ///
    /// ```
    /// const SIGHUP: i32 = 1;
    /// let options = mm::Options::new().report_on_signal(SIGHUP)?;
    /// assert_eq!(Ok(options), "signal=HUP".parse());
    /// # Ok::<(), mm::OptionsError>(())
    /// ```
    #[cfg(all(unix, feature = "signal"))]
    pub fn report_on_signal(mut self, signal: i32) -> Result<Self, OptionsError> {
        if !on_signal::can_report_on(signal) {
            let signal = signal.to_string().into();
            return Err(OptionsError::BadSignal { signal });
        }
        self.signals |= 1 << signal;
        Ok(self)
    }
}
