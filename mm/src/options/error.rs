//! Why options could not be applied.

use core::error::Error;
use core::fmt;

use super::parse::KNOWN;
use crate::shown::Shown;

/// Why options could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// No option has this name.
    #[non_exhaustive]
    Unknown {
        /// The text of the option.
        option: Box<str>,
    },
    /// The text is not a number of bytes.
    #[non_exhaustive]
    BadSize {
        /// The text in place of a size.
        size: Box<str>,
    },
    /// The text is not a number, or the number is too large.
    #[non_exhaustive]
    BadNumber {
        /// The text in place of a number.
        number: Box<str>,
    },
    /// The text names no signal at which a report can be written.
    #[non_exhaustive]
    BadSignal {
        /// The text in place of a signal.
        signal: Box<str>,
    },
    /// mm was built without the feature that this option needs.
    #[non_exhaustive]
    NeedsFeature {
        /// The name of the feature.
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
