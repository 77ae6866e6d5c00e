//! Options from a text such as that of `MM_OPTIONS`: names with commas between them, some with a value.
//!
//! Options of a text are added to those that are on. Protection is added, and never taken away: of two
//! sizes, and of two numbers of stack frames, the larger one wins, and of two rates of tracking the more
//! frequent one. The choice of huge pages and the exit code are replaced.

use core::str::FromStr;

use super::{Options, OptionsError};
use crate::heap::HugePages;
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;
use crate::track::Track;

/// The options that a text can name, for the message about an unknown one.
pub(super) const KNOWN: &str = "random, zero, poison, guard, quarantine=BYTES (or KiB, MiB, GiB), track, \
     track=EVERY, backtrace=FRAMES, leaks, leaks=EXIT_CODE, untyped, limit=BYTES, signal=NAME (or NUMBER), \
     sample=BYTES, sample=off, huge=never, huge=auto, huge=always";

impl FromStr for Options {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        Self::new().with(text)
    }
}

impl Options {
    /// Adds the options that a text names.
    pub(super) fn with(self, text: &str) -> Result<Self, OptionsError> {
        let options = text.split(',').map(str::trim);
        options
            .filter(|option| !option.is_empty())
            .try_fold(self, Self::with_one)
    }

    /// Adds one option: `name` or `name=value`.
    fn with_one(self, option: &str) -> Result<Self, OptionsError> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        Ok(match (name, value) {
            ("random", None) => self.random_order(),
            ("zero", None) => self.zero_on_release(),
            ("poison", None) => self.poison(),
            ("guard", None) => self.guard_pages(),
            ("quarantine", Some(size)) => {
                self.quarantine(bytes(size)?.max(self.hardening.quarantine))
            }
            ("huge", Some("never")) => self.huge_pages(HugePages::Never),
            ("huge", Some("auto")) => self.huge_pages(HugePages::Auto),
            ("huge", Some("always")) => self.huge_pages(HugePages::Always),
            ("sample", Some("off")) => self.sample_interval(0),
            ("sample", Some(size)) => self.sample_interval(bytes(size)?),
            ("track", None) => self.track(Track::All),
            ("track", Some(blocks)) => self.track_at_least(number(blocks)?),
            #[cfg(feature = "backtrace")]
            ("backtrace", Some(frames)) => self.backtrace(self.frames.max(number(frames)?)),
            #[cfg(not(feature = "backtrace"))]
            ("backtrace", Some(_)) => {
                let feature = "backtrace";
                return Err(OptionsError::NeedsFeature { feature });
            }
            ("leaks", None) => self.leaks_at_exit(self.leaks.unwrap_or(0)),
            ("leaks", Some(code)) => self.leaks_at_exit(number(code)?),
            ("limit", Some(size)) => self.limit(bytes(size)? as u64),
            ("untyped", None) => self.untyped_leaks(),
            #[cfg(all(unix, feature = "signal"))]
            ("signal", Some(signal)) => self.report_on_signal(signal_number(signal)?)?,
            #[cfg(not(all(unix, feature = "signal")))]
            ("signal", Some(_)) => {
                let feature = "signal";
                return Err(OptionsError::NeedsFeature { feature });
            }
            _ => {
                return Err(OptionsError::Unknown {
                    option: option.into(),
                });
            }
        })
    }

    /// Tracks one block in `blocks`, or more if more are tracked already.
    fn track_at_least(self, blocks: u32) -> Self {
        let blocks = if self.every == 0 {
            blocks
        } else {
            blocks.min(self.every)
        };
        self.track(Track::Every(blocks))
    }
}

#[cfg(all(unix, feature = "signal"))]
fn signal_number(signal: &str) -> Result<i32, OptionsError> {
    on_signal::number_of(signal).ok_or_else(|| OptionsError::BadSignal {
        signal: signal.into(),
    })
}

/// Parses a number.
fn number<N: FromStr>(text: &str) -> Result<N, OptionsError> {
    text.parse().map_err(|_| OptionsError::BadNumber {
        number: text.into(),
    })
}

/// Parses a number of bytes, which may end with a unit.
fn bytes(size: &str) -> Result<usize, OptionsError> {
    let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let shift = match &size[digits.len()..] {
        "" | "B" => Some(0),
        "KiB" | "k" => Some(10),
        "MiB" | "m" => Some(20),
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
