//! Error types. Each message is one sentence that names the family.

use core::error::Error;
use core::fmt;

use crate::number::Count;
use crate::shown::Shown;

/// Why a family could not hand out a block.
///
/// # Examples
///
/// ```
/// use mm::{AllocError, PageFamily};
/// use std::alloc::Layout;
///
/// let rows = PageFamily::register("error-doc:rows", Layout::new::<[u64; 4]>())?;
/// let refused = rows.alloc(usize::MAX).unwrap_err();
/// assert!(matches!(refused, AllocError::SizeOverflow { .. }));
/// # Ok::<(), mm::RegisterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllocError {
    /// The number of units times the unit's size exceeds the largest block size.
    #[non_exhaustive]
    SizeOverflow {
        /// Label of the family: its name, or its path or key if another family has the same name.
        family: &'static str,
        /// Units that were requested.
        units: usize,
        /// Bytes of one unit.
        unit_size: usize,
    },
    /// The kernel gave no memory. The figures are as before the call.
    #[non_exhaustive]
    OutOfMemory {
        /// Label of the family: its name, or its path or key if another family has the same name.
        family: &'static str,
        /// Units that were requested.
        units: usize,
        /// Bytes of one unit.
        unit_size: usize,
    },
    /// The family, the group that it is in, or the whole heap would hold more than its limit. The figures are
    /// as before the call.
    #[non_exhaustive]
    QuotaExceeded {
        /// Label of the family: its name, or its path or key if another family has the same name.
        family: &'static str,
        /// Units that were requested.
        units: usize,
        /// Bytes of one unit.
        unit_size: usize,
        /// The limit that was reached, in bytes: 0 for units of size zero.
        limit_bytes: u64,
        /// Whether the limit is that of the whole heap; see [`set_limit`](crate::set_limit).
        whole_heap: bool,
        /// The families that held the most live bytes, the largest first. With more than 128 families
        /// the ranking is updated at most ten times a second. A family that grew since then may be
        /// missing, except the one that refused. The bytes are exact, except that those of untyped memory,
        /// which is one holder, may be 0.1 s old.
        largest: [Option<Holder>; 3],
    },
}

/// A family, and what it held when an allocation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Label of the family: its name, or its path or key if another family has the same name.
    pub family: &'static str,
    /// Bytes of its live units.
    pub live_bytes: u64,
}

fn count(number: usize, what: &'static str) -> Count {
    Count(number as u128, what)
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = Count(self.live_bytes.into(), "byte");
        write!(f, "`{}` ({bytes})", Shown(self.family))
    }
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SizeOverflow {
                family,
                units,
                unit_size,
                ..
            } => write!(
                f,
                "{} of {} overflow the size of a block of page family `{}`",
                count(*units, "unit"),
                count(*unit_size, "byte"),
                Shown(family)
            ),
            Self::OutOfMemory {
                family,
                units,
                unit_size,
                ..
            } => write!(
                f,
                "out of memory for {} of {} of page family `{}`",
                count(*units, "unit"),
                count(*unit_size, "byte"),
                Shown(family)
            ),
            Self::QuotaExceeded {
                family,
                units,
                unit_size,
                limit_bytes,
                whole_heap,
                largest,
            } => {
                let whose = if *whole_heap {
                    "the limit of the whole heap"
                } else {
                    "its limit"
                };
                write!(
                    f,
                    "page family `{}` may not hold {} of {}: {whose} is ",
                    Shown(family),
                    count(*units, "more unit"),
                    count(*unit_size, "byte")
                )?;
                match unit_size {
                    0 => f.write_str("reached")?,
                    _ => write!(f, "{}", Count(u128::from(*limit_bytes), "byte"))?,
                }
                let mut before = "; most is held by ";
                largest.iter().flatten().try_for_each(|holder| {
                    write!(f, "{}{holder}", core::mem::replace(&mut before, ", "))
                })
            }
        }
    }
}

impl Error for AllocError {}

/// Why a pointer could not be released. Nothing was changed.
///
/// # Examples
///
/// ```
/// use mm::FreeError;
/// use std::ptr::NonNull;
///
/// let mut on_the_stack = 7_u8;
/// // SAFETY: `on_the_stack` is no block of mm, which is what the call reports.
/// let refused = unsafe { mm::xfree_raw(NonNull::from(&mut on_the_stack)) };
/// assert!(matches!(refused, Err(FreeError::Foreign { .. })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreeError {
    /// The address belongs to no page family.
    #[non_exhaustive]
    Foreign {
        /// The address that was to be released.
        address: usize,
    },
    /// The address lies inside a page family's pages, but not where a block starts.
    #[non_exhaustive]
    Interior {
        /// Label of the family that owns the address; see [`AllocError`].
        family: &'static str,
        /// The address that was to be released.
        address: usize,
    },
    /// No block is live at the address: it was released already, or never handed out.
    #[non_exhaustive]
    NotLive {
        /// Label of the family that owns the address; see [`AllocError`].
        family: &'static str,
        /// The address that was to be released.
        address: usize,
    },
    /// The block belongs to another family than the one that was asked to release it.
    #[non_exhaustive]
    WrongFamily {
        /// Label of the family that was asked to release the block; see [`AllocError`].
        asked: &'static str,
        /// Label of the family that owns the address; see [`AllocError`].
        family: &'static str,
        /// The address that was to be released.
        address: usize,
    },
}

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { address } => {
                write!(f, "address {address:#x} belongs to no page family")
            }
            Self::Interior { family, address } => write!(
                f,
                "address {address:#x} is inside page family `{}`, but no block starts there",
                Shown(family)
            ),
            Self::NotLive { family, address } => write!(
                f,
                "no block of page family `{}` is live at address {address:#x}",
                Shown(family)
            ),
            Self::WrongFamily {
                asked,
                family,
                address,
            } => write!(
                f,
                "address {address:#x} belongs to page family `{}`, not to `{}`",
                Shown(family),
                Shown(asked)
            ),
        }
    }
}

impl Error for FreeError {}

/// Why a page family could not be registered while the program runs.
///
/// # Examples
///
/// ```
/// use mm::{PageFamily, RegisterError};
/// use std::alloc::Layout;
///
/// PageFamily::register("error-doc:twice", Layout::new::<u32>())?;
/// let refused = PageFamily::register("error-doc:twice", Layout::new::<u32>()).unwrap_err();
/// assert!(matches!(refused, RegisterError::DuplicateName { .. }));
/// # Ok::<(), RegisterError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// A family of this name is registered already.
    #[non_exhaustive]
    DuplicateName {
        /// The name that is taken, as a string of the registered family.
        family: &'static str,
    },
    /// The unit's size is zero, or too large once padded to its alignment.
    #[non_exhaustive]
    BadLayout {
        /// Bytes of the unit asked for.
        unit_size: usize,
        /// Alignment of the unit asked for, in bytes.
        unit_align: usize,
    },
    /// There is no memory left for the family's own record.
    OutOfMemory,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName { family } => {
                write!(f, "page family `{}` is registered already", Shown(family))
            }
            Self::BadLayout {
                unit_size,
                unit_align,
            } => write!(
                f,
                "a page family cannot have units of {} aligned to {unit_align}",
                count(*unit_size, "byte")
            ),
            Self::OutOfMemory => f.write_str("out of memory for the record of a new page family"),
        }
    }
}

impl Error for RegisterError {}

/// A difference that [`check`](crate::check) found: two ways to compute one figure disagree.
///
/// # Examples
///
/// ```
/// assert_eq!(mm::check(), Ok::<(), mm::CheckError>(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckError {
    /// Label of the family; see [`AllocError`].
    pub family: &'static str,
    /// Which figure differs.
    pub figure: &'static str,
    /// The stored figure.
    pub kept: u64,
    /// The figure computed from its pages and caches.
    pub found: u64,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            figure,
            kept,
            found,
        } = self;
        write!(
            f,
            "page family `{}` keeps {kept} as {figure}, but its pages say {found}",
            Shown(family)
        )
    }
}

impl Error for CheckError {}
