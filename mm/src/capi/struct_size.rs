//! Two structs of one name: a call that knows another size than the registered one gets no block.

use core::fmt::{self, Display, Formatter};

use super::families::Family;
use crate::shown::Shown;

/// Size of a struct in bytes, as a call in the program knows it; 0 if it is unknown.
#[derive(Clone, Copy)]
pub(super) struct StructSize(pub(super) u32);

impl StructSize {
    /// Returns the size of a struct of `bytes` bytes, at most `u32::MAX`.
    pub(super) fn of(bytes: usize) -> Self {
        Self(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Returns whether a struct of `bytes` bytes can be the same one. An unknown size matches all.
    fn may_be(self, bytes: usize) -> bool {
        self.0 == 0 || self.0 == Self::of(bytes).0
    }
}

/// The message that a struct has another size than the registered one of its name.
pub(super) struct OtherSize {
    here: u32,
    family: &'static Family,
}

impl OtherSize {
    /// Returns the message if a struct of size `here` does not fit into this family.
    ///
    /// Alignments need no comparison: the alignment of a struct divides its size, and the family has
    /// the largest alignment that does.
    pub(super) fn of(family: &'static Family, here: StructSize) -> Option<Self> {
        let is_other = !here.may_be(family.unit());
        is_other.then_some(Self {
            here: here.0,
            family,
        })
    }
}

impl Display for OtherSize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let known = &self.family.heap;
        let (name, size, at) = (known.name(), known.layout().size(), known.location());
        let here = self.here;
        write!(
            f,
            "`{}` has {here} bytes here, and {size} where its page family was registered, at {}",
            Shown(name),
            Shown(at.file)
        )?;
        match at.line {
            0 => Ok(()),
            line => write!(f, ":{line}"),
        }
    }
}
