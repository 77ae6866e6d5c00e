//! How mm is set up when the program starts.

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

/// What the names in `MM_OPTIONS` are, for who wrote another.
const KNOWN: &str = "random, zero, poison, guard, quarantine=BYTES (or KiB, MiB, GiB), track, \
                     track=EVERY, backtrace=FRAMES, leaks, leaks=EXIT_CODE, signal=NAME (or NUMBER), \
                     huge=never, huge=auto, huge=always";

/// How hard mm makes misuse, and what it records: chosen once, before anything of mm is used.
///
/// `main` says it through this builder, or whoever starts the program through the environment:
/// `MM_OPTIONS=poison,quarantine=64MiB`. What the environment says is added to what `main` says.
/// Without either nothing is done, and nothing costs anything. A program that is set-user-ID, or has
/// rights of others in another way, does not look at the environment.
///
/// The environment is that which the process was started with: what the program puts there itself,
/// by [`set_var`](std::env::set_var), is not looked at. Except on Linux it is read at mm's first use.
///
/// What each option costs is measured by `cargo run --release --example hardening`, and what is
/// recorded, by `cargo run --release --example tracking`.
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
    /// Of how many blocks one is recorded.
    every: u32,
    /// Return addresses that are recorded of each.
    frames: usize,
    /// Exit code where something leaked, if leaks are to be reported at exit; 0 to leave it.
    leaks: Option<u8>,
    /// Signals at which a report is written: a bit for each.
    signals: u128,
}

impl Options {
    /// Asks for nothing.
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

    /// Hands units out in random order, so that what comes next cannot be foreseen.
    ///
    /// The order is that within a VM page. The numbers are not for secrets.
    #[must_use]
    pub const fn random_order(mut self) -> Self {
        self.hardening.random = true;
        self
    }

    /// Fills blocks with zero bytes when they are released, so that their contents are gone.
    ///
    /// Of blocks larger than a VM page the memory goes back to the kernel instead, if it takes it.
    #[must_use]
    pub const fn zero_on_release(mut self) -> Self {
        if matches!(self.hardening.fill, OnRelease::Nothing) {
            self.hardening.fill = OnRelease::Zero;
        }
        self
    }

    /// Fills blocks with the byte `0xDF` when they are released, and looks whether it is still
    /// there when the memory is handed out again. If it is not, somebody wrote to a block after
    /// its release: mm says so with family and address, and aborts. Stands for
    /// [`zero_on_release`](Self::zero_on_release) too, whose purpose it serves.
    ///
    /// Blocks larger than a VM page are treated as with `zero_on_release`.
    #[must_use]
    pub const fn poison(mut self) -> Self {
        self.hardening.fill = OnRelease::Poison;
        self
    }

    /// Ends every VM page, and every block larger than one, with an OS page that nobody can touch:
    /// who writes on past the last unit is ended by the kernel there and then, and never reaches
    /// what lies behind.
    ///
    /// Inside a VM page units still lie side by side. From Linux 6.13 on guards cost no mappings;
    /// before that each costs two, of which there are no more than a quarter of the kernel's
    /// `max_map_count`, and what comes later has none. Without effect on the portable backend, and
    /// for VM pages of fewer than four OS pages. Source: `MADV_GUARD_INSTALL` in madvise(2).
    #[must_use]
    pub const fn guard_pages(mut self) -> Self {
        self.hardening.guard = true;
        self
    }

    /// Keeps the last `bytes` bytes of released blocks of each family from being handed out, so
    /// that a stale pointer finds no new value for a while. They count as cached. Where memory runs
    /// out, a family gives up its own.
    ///
    /// Blocks larger than a VM page are not kept.
    #[must_use]
    pub const fn quarantine(mut self, bytes: usize) -> Self {
        self.hardening.quarantine = bytes;
        self
    }

    /// Says where memory is backed by huge OS pages. `MM_OPTIONS=huge=never`, `huge=auto` and
    /// `huge=always` say it too, and win.
    ///
    /// With [`HugePages::Always`] each family takes 2 MiB at least, and walks at random through much
    /// memory become faster. Without effect on the portable backend. Source: `MADV_HUGEPAGE` in
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

    /// Records who allocates from the start on, as [`track`](crate::track()) does later.
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

    /// Reports leaks when the process ends, as
    /// [`report_leaks_at_exit`] does, and then ends it with this exit
    /// code; with 0, the code stays as it is.
    #[must_use]
    pub const fn leaks_at_exit(mut self, code: u8) -> Self {
        self.leaks = Some(code);
        self
    }

    /// Writes a report to standard error whenever this signal arrives, as
    /// [`report_on_signal`](crate::report_on_signal) does. May be called for several.
    ///
    /// From outside that is `MM_OPTIONS=signal=HUP`, or `signal=1`. The thread that writes is started
    /// by [`apply`](Self::apply), or at mm's first use. With the feature `signal`, on Unix.
    ///
    /// # Errors
    ///
    /// [`OptionsError::BadSignal`] for one that cannot be handled, or must not be.
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

    /// Chooses these options, and those of the environment, for the rest of the process.
    ///
    /// # Errors
    ///
    /// [`OptionsError::TooLate`] after mm was used: a block, a snapshot, or options;
    /// [`OptionsError::Unknown`] and [`OptionsError::BadSize`] for what `MM_OPTIONS` says.
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
        // Not with 0: the program may have asked before its first family brought it here.
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

    /// Starts the thread that writes reports. What that allocates through mm finds options chosen.
    #[cfg(all(unix, feature = "signal"))]
    fn begin_to_listen(self) {
        let asked = |signal: &i32| self.signals & (1 << signal) != 0;
        for signal in on_signal::NUMBERS.filter(asked) {
            if let Err(error) = on_signal::report_on_signal(signal) {
                process::write_last_line(format_args!("no report at signal {signal}: {error}"));
            }
        }
    }

    /// Adds what a text asks for.
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
                // Added to what was asked for, never taken from it.
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

/// Why options were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// No option has this name.
    #[non_exhaustive]
    Unknown {
        /// What was written.
        option: Box<str>,
    },
    /// This is no number of bytes.
    #[non_exhaustive]
    BadSize {
        /// What was written.
        size: Box<str>,
    },
    /// This is no number, or one that is too large.
    #[non_exhaustive]
    BadNumber {
        /// What was written.
        number: Box<str>,
    },
    /// This is no signal at which a report can be written.
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
    /// Something of mm was used before, or options were chosen.
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

/// Chooses what the environment says, unless that was done. Before the first block.
pub(crate) fn resolve() {
    if hardening::is_chosen() {
        return;
    }
    // Another thread may be first, which reads the same.
    match Options::new().apply() {
        Ok(()) | Err(OptionsError::TooLate) => {}
        Err(wrong) => refuse(&wrong),
    }
}

/// Ends the process before it runs with less protection than was asked for.
#[cold]
fn refuse(wrong: &OptionsError) -> ! {
    // What runs at exit may allocate.
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
