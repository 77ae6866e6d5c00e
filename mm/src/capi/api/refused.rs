//! Why a call failed, as data and as a sentence.

use core::alloc::Layout;
use core::fmt::{self, Display};

use super::status::mm_status;
use crate::error::{AllocError, CheckError, FreeError, RegisterError};
use crate::shown::Shown;

/// The reason of a failure. `mm_last_error` turns it into a sentence.
#[derive(Debug)]
pub(super) enum Refused {
    Alloc(AllocError),
    Free(FreeError),
    Register(RegisterError),
    Check(CheckError),
    /// An invalid argument. The text is the sentence.
    Argument(&'static str),
    Unknown(Excerpt),
    Ambiguous(Excerpt),
    /// A type whose layout is not the family's.
    OtherType {
        family: &'static str,
        units: Layout,
        size: usize,
        align: usize,
    },
}

/// The first 128 bytes of a text. `Refused` needs no destructor, so it cannot own a `String`.
#[derive(Debug)]
pub(super) struct Excerpt {
    bytes: [u8; 128],
    length: usize,
}

impl Refused {
    pub(super) fn status(&self) -> mm_status {
        match self {
            Self::Alloc(error) => error.into(),
            Self::Free(error) => error.into(),
            Self::Register(error) => error.into(),
            Self::Check(_) => mm_status::MM_INCONSISTENT,
            Self::Argument(_) => mm_status::MM_BAD_ARGUMENT,
            Self::Unknown(_) => mm_status::MM_UNKNOWN_NAME,
            Self::Ambiguous(_) => mm_status::MM_AMBIGUOUS_NAME,
            Self::OtherType { .. } => mm_status::MM_BAD_LAYOUT,
        }
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alloc(error) => error.fmt(f),
            Self::Free(error) => error.fmt(f),
            Self::Register(error) => error.fmt(f),
            Self::Check(error) => error.fmt(f),
            Self::Argument(what) => f.write_str(what),
            Self::Unknown(name) => write!(f, "no page family is called `{name}`"),
            Self::Ambiguous(name) => write!(
                f,
                "several page families are called `{name}`; their paths tell them apart"
            ),
            Self::OtherType {
                family,
                units,
                size,
                align,
            } => write!(
                f,
                "units of page family `{}` have {} bytes aligned to {}, and the type has {size} aligned to {align}",
                Shown(family),
                units.size(),
                units.align(),
            ),
        }
    }
}

impl From<AllocError> for Refused {
    fn from(error: AllocError) -> Self {
        Self::Alloc(error)
    }
}

impl From<FreeError> for Refused {
    fn from(error: FreeError) -> Self {
        Self::Free(error)
    }
}

impl From<RegisterError> for Refused {
    fn from(error: RegisterError) -> Self {
        Self::Register(error)
    }
}

impl From<CheckError> for Refused {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl Excerpt {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 128];
        let length = text.len().min(bytes.len());
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length }
    }
}

impl Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes[..self.length].utf8_chunks() {
            write!(f, "{}", Shown(chunk.valid()))?;
        }
        let is_cut = self.length == self.bytes.len();
        f.write_str(if is_cut { ".." } else { "" })
    }
}
