//! Two structs of one name: a place of a program that knows another size than the one that was
//! registered gets no block.

use core::fmt::{self, Display, Formatter};

use super::families::Family;
use crate::shown::Shown;

/// Bytes of a struct where it is registered or allocated.
#[derive(Clone, Copy)]
pub(super) struct StructSize(pub(super) u32);

impl StructSize {
    /// Of a struct of `bytes` bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Self(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Whether a struct of `bytes` bytes can be the same; yes, if nothing is known.
    fn may_be(self, bytes: usize) -> bool {
        self.0 == 0 || self.0 == Self::of(bytes).0
    }
}

/// Says that a struct has another size than the registered one of its name.
pub(super) struct OtherSize {
    here: u32,
    family: &'static Family,
}

impl OtherSize {
    /// What is wrong with a struct of size `here` in this family, if anything is.
    ///
    /// Nothing need be said of alignments: a struct's divides its size, and the family's is the
    /// largest that does.
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
