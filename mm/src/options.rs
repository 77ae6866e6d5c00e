//! Options for the whole process, from the program and from `MM_OPTIONS`.

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use crate::heap::HugePages;
use crate::heap::hardening::{self, Hardening, OnRelease};
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;
use crate::os::environment::{self, TooLong};
use crate::os::process;
use crate::profile::report_leaks_at_exit;
use crate::shown::Shown;
use crate::track::{self, Track};

/// The names that `MM_OPTIONS` accepts, for the message about an unknown one.
const KNOWN: &str = "random, zero, poison, guard, quarantine=BYTES (or KiB, MiB, GiB), track, \
                     track=EVERY, backtrace=FRAMES, leaks, leaks=EXIT_CODE, signal=NAME (or NUMBER), \
                     huge=never, huge=auto, huge=always";

/// Hardening and recording options, chosen once, before the first use of mm.
///
/// `main` chooses them through this builder. The environment of the program can choose them too:
/// `MM_OPTIONS=poison,quarantine=64MiB`. Options from the environment are added to those from `main`.
/// By default all are off and cost nothing. A program that is set-user-ID, or that has elevated
/// privileges in another way, ignores the environment.
///
/// mm reads the environment with which the process was started, and ignores what the program sets by
/// [`set_var`](std::env::set_var). On systems other than Linux it reads the environment at mm's first
/// use.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    hardening: Hardening,
    huge: HugePages,
    /// One in this many blocks is recorded.
    every: u32,
    /// Return addresses recorded for each.
    frames: usize,
    /// Exit code after a leak, if leaks are reported at exit; 0 keeps the code as it is.
    leaks: Option<u8>,
    /// Signals at which a report is written: a bit for each.
    signals: u128,
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
            signals: 0,
        }
    }

    /// Hands units out in random order, so that the next address is hard to predict.
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
    /// Blocks larger than a VM page are treated as with `zero_on_release`.
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
    /// that each costs two; guards use at most a quarter of the kernel's `max_map_count`, and pages beyond
    /// that get no guard. The option has no effect on the portable backend, and for VM pages of fewer
    /// than four OS pages. Source: `MADV_GUARD_INSTALL` in madvise(2).
    #[must_use]
    pub const fn guard_pages(mut self) -> Self {
        self.hardening.guard = true;
        self
    }

    /// Keeps the last `bytes` bytes of released blocks of each family in quarantine.
    ///
    /// These blocks are not handed out again for a while, so that a stale pointer does not reach a new
    /// value. They count as cached. If memory runs out, a family empties its own quarantine.
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
    /// With [`HugePages::Always`] each family takes 2 MiB at least, and random access to much memory
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

    /// Records the call sites of allocations from the start on, as [`track`](crate::track()) does later.
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

    /// Reports leaks when the process ends, as [`report_leaks_at_exit`] does, and sets its exit code.
    ///
    /// If something leaked, the process ends with `exit_code`; 0 keeps the code as it is.
    #[must_use]
    pub const fn leaks_at_exit(mut self, code: u8) -> Self {
        self.leaks = Some(code);
        self
    }

    /// Writes a report to standard error whenever this signal arrives, as
    /// [`report_on_signal`](crate::report_on_signal) does. May be called for several.
    ///
    /// In the environment this is `MM_OPTIONS=signal=HUP`, or `signal=1`. [`apply`](Self::apply) starts the
    /// thread that writes, or else mm's first use does. Requires the feature `signal`, on Unix.
    ///
    /// # Errors
    ///
    /// Returns [`OptionsError::BadSignal`] for a signal that cannot be handled, or must not be.
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

    /// Applies these options, and those of the environment, for the rest of the process.
    ///
    /// # Errors
    ///
    /// Returns [`OptionsError::TooLate`] if mm was used before: a block, a snapshot, or options. Returns
    /// the other errors for what `MM_OPTIONS` contains, such as [`OptionsError::Unknown`] and
    /// [`OptionsError::BadSize`].
    pub fn apply(self) -> Result<(), OptionsError> {
        let mut room = [0; environment::LONGEST];
        let all = match environment::options(&mut room) {
            Some(text) => self.with(of_environment(text)?)?,
            None => self,
        };
        if !hardening::choose(all.hardening, all.huge) {
            return Err(OptionsError::TooLate);
        }
        all.begin_to_record();
        Ok(())
    }

    fn begin_to_record(self) {
        track::track_from_start(self.every);
        // Not with 0: the program may have set it before its first family applied the options.
        #[cfg(feature = "backtrace")]
        if self.frames > 0 {
            crate::record_backtraces(self.frames);
        }
        if let Some(code) = self.leaks {
            report_leaks_at_exit().exit_code(code);
        }
        #[cfg(all(unix, feature = "signal"))]
        self.begin_to_listen();
    }

    /// Starts the thread that writes reports. The options are chosen already: starting it may allocate
    /// through mm.
    #[cfg(all(unix, feature = "signal"))]
    fn begin_to_listen(self) {
        let asked = |signal: &i32| self.signals & (1 << signal) != 0;
        for signal in on_signal::NUMBERS.filter(asked) {
            if let Err(error) = on_signal::report_on_signal(signal) {
                process::write_last_line(format_args!("no report at signal {signal}: {error}"));
            }
        }
    }

    /// Adds the options that a text names.
    fn with(self, text: &str) -> Result<Self, OptionsError> {
        let names = text.split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .try_fold(self, Self::with_one)
    }

    fn with_one(self, option: &str) -> Result<Self, OptionsError> {
        match option.split_once('=') {
            None if option == "random" => Ok(self.random_order()),
            None if option == "zero" => Ok(self.zero_on_release()),
            None if option == "poison" => Ok(self.poison()),
            None if option == "guard" => Ok(self.guard_pages()),
            Some(("quarantine", size)) => {
                // The larger size wins: the environment adds protection, and never removes it.
                let asked = self.hardening.quarantine;
                Ok(self.quarantine(bytes(size)?.max(asked)))
            }
            Some(("huge", "never")) => Ok(self.huge_pages(HugePages::Never)),
            Some(("huge", "auto")) => Ok(self.huge_pages(HugePages::Auto)),
            Some(("huge", "always")) => Ok(self.huge_pages(HugePages::Always)),
            None if option == "track" => Ok(self.track(Track::All)),
            Some(("track", every)) => {
                let asked = Self::new().track(Track::Every(number(every)?)).every;
                let least = if self.every == 0 { asked } else { self.every };
                Ok(self.track(Track::Every(asked.min(least))))
            }
            #[cfg(feature = "backtrace")]
            Some(("backtrace", frames)) => Ok(self.backtrace(self.frames.max(number(frames)?))),
            #[cfg(not(feature = "backtrace"))]
            Some(("backtrace", _)) => Err(OptionsError::NeedsFeature {
                feature: "backtrace",
            }),
            None if option == "leaks" => Ok(self.leaks_at_exit(self.leaks.unwrap_or(0))),
            Some(("leaks", code)) => Ok(self.leaks_at_exit(number(code)?)),
            #[cfg(all(unix, feature = "signal"))]
            Some(("signal", signal)) => match on_signal::number_of(signal) {
                Some(number) => self.report_on_signal(number),
                None => Err(OptionsError::BadSignal {
                    signal: signal.into(),
                }),
            },
            #[cfg(not(all(unix, feature = "signal")))]
            Some(("signal", _)) => Err(OptionsError::NeedsFeature { feature: "signal" }),
            _ => Err(OptionsError::Unknown {
                option: option.into(),
            }),
        }
    }
}

impl FromStr for Options {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        Self::new().with(text)
    }
}

/// Why options could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// No option has this name.
    #[non_exhaustive]
    Unknown {
        /// What was written.
        option: Box<str>,
    },
    /// The text is not a number of bytes.
    #[non_exhaustive]
    BadSize {
        /// What was written.
        size: Box<str>,
    },
    /// The text is not a number, or the number is too large.
    #[non_exhaustive]
    BadNumber {
        /// What was written.
        number: Box<str>,
    },
    /// The text names no signal at which a report can be written.
    #[non_exhaustive]
    BadSignal {
        /// What was written.
        signal: Box<str>,
    },
    /// mm was built without the feature that this option needs.
    #[non_exhaustive]
    NeedsFeature {
        /// Its name.
        feature: &'static str,
    },
    /// mm was used before, or options were chosen before.
    TooLate,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { option } => {
                write!(f, "unknown option `{}`; known are {KNOWN}", Shown(option))
            }
            Self::BadSize { size } => write!(
                f,
                "`{}` is no number of bytes; such are 4096, 64KiB, 1MiB",
                Shown(size)
            ),
            Self::BadNumber { number } => {
                write!(f, "`{}` is no number that fits", Shown(number))
            }
            Self::BadSignal { signal } => write!(
                f,
                "`{}` is no signal that can be reported at; such are HUP, USR1, 10",
                Shown(signal)
            ),
            Self::NeedsFeature { feature } => {
                write!(f, "mm was built without the feature `{feature}`")
            }
            Self::TooLate => {
                f.write_str("options are chosen once, and before anything of mm is used")
            }
        }
    }
}

impl Error for OptionsError {}

/// Applies the environment's options, unless options were chosen before. Called before the first block.
pub(crate) fn resolve() {
    if hardening::is_chosen() {
        return;
    }
    // Another thread may be first; it reads the same environment.
    match Options::new().apply() {
        Ok(()) | Err(OptionsError::TooLate) => {}
        Err(wrong) => refuse(&wrong),
    }
}

/// Ends the process before it runs with less protection than was asked for.
#[cold]
fn refuse(wrong: &OptionsError) -> ! {
    // Exit handlers may allocate.
    hardening::choose(Hardening::default(), HugePages::Auto);
    process::write_last_line(format_args!("MM_OPTIONS: {wrong}"));
    std::process::exit(2);
}

/// What `MM_OPTIONS` says, as text.
fn of_environment(said: Result<&[u8], TooLong>) -> Result<&str, OptionsError> {
    let unknown = |option: Box<str>| OptionsError::Unknown { option };
    let said = said.map_err(|TooLong| unknown("(a text of more than 4,096 bytes)".into()))?;
    core::str::from_utf8(said).map_err(|_| unknown(String::from_utf8_lossy(said).into()))
}

/// A number, as people write it.
fn number<N: FromStr>(text: &str) -> Result<N, OptionsError> {
    text.parse().map_err(|_| OptionsError::BadNumber {
        number: text.into(),
    })
}

/// A number of bytes, as people write it.
fn bytes(size: &str) -> Result<usize, OptionsError> {
    let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let shift = match &size[digits.len()..] {
        "" | "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    let number = digits.parse::<usize>().ok();
    let product = number
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift));
    product.ok_or_else(|| OptionsError::BadSize { size: size.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_options() {
        let all = Options::new().random_order().poison().guard_pages();
        let all = all.quarantine(3 << 30);
        assert_eq!(" random,poison ,guard, quarantine=3GiB,".parse(), Ok(all));
        assert_eq!("".parse(), Ok(Options::new()));
        assert_eq!("poison,zero".parse(), Ok(Options::new().poison()));
        assert_eq!(
            "quarantine=4096".parse(),
            Ok(Options::new().quarantine(4_096))
        );
    }

    #[test]
    fn the_environment_takes_nothing_away() {
        let asked = Options::new().poison().quarantine(4_096);
        assert_eq!(asked.with("zero,quarantine=0"), Ok(asked));
        assert_eq!(asked.with("quarantine=8KiB"), Ok(asked.quarantine(8_192)));
        let asked = Options::new().track(Track::Every(10)).leaks_at_exit(3);
        assert_eq!(asked.with("track=100,leaks"), Ok(asked));
        let more = asked.track(Track::All).leaks_at_exit(4);
        assert_eq!(asked.with("track,leaks=4"), Ok(more));
    }

    #[test]
    fn the_environment_says_last_where_huge_pages_are() {
        let asked = Options::new().huge_pages(HugePages::Always).poison();
        assert_eq!(asked.with("random"), Ok(asked.random_order()));
        let never = asked.huge_pages(HugePages::Never);
        assert_eq!(asked.with("huge=never"), Ok(never));
        assert_eq!(never.with("huge=auto"), Ok(Options::new().poison()));
    }

    #[test]
    #[cfg(all(unix, feature = "signal"))]
    fn signals_have_names_and_numbers() {
        let asked = |signal| Options::new().report_on_signal(signal);
        for text in ["signal=HUP", "signal=SIGHUP", "signal=sighup", "signal=1"] {
            assert_eq!(text.parse(), asked(1), "{text}");
        }
        let both = asked(1).and_then(|options| options.report_on_signal(12));
        assert_eq!("signal=USR2,signal=HUP".parse(), both);
        for wrong in ["KILL", "SIGSEGV", "9", "0", "-1", "128", "HUPP", ""] {
            let text = format!("signal={wrong}");
            let error = text.parse::<Options>().unwrap_err().to_string();
            let number = if wrong.parse::<i32>().is_ok() {
                wrong
            } else {
                ""
            };
            assert!(
                error.contains(number) && error.contains("is no signal"),
                "{error}"
            );
        }
    }

    #[test]
    #[cfg(not(all(unix, feature = "signal")))]
    fn a_signal_needs_the_feature() {
        let error = "signal=HUP".parse::<Options>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "mm was built without the feature `signal`"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |text: &str| text.parse::<Options>().unwrap_err().to_string();
        assert_eq!(
            said("poison,gard"),
            format!("unknown option `gard`; known are {KNOWN}")
        );
        for size in ["", "MiB", "1MB", "-1", "99999999999GiB", "1.5MiB"] {
            let text = format!("quarantine={size}");
            assert!(
                said(&text).starts_with(&format!("`{size}` is no number")),
                "{size}"
            );
        }
        assert!(said("zero=1").contains("known are"));
        assert!(said("huge=2MiB").contains("`huge=2MiB`; known are"));
    }
}
