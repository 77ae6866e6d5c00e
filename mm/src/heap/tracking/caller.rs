//! The place in the program where a block is requested.

use core::panic::Location;

/// A place in the program's source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// 0 if it is not known.
    pub(crate) column: u32,
}

/// The caller of an allocation, in Rust or in C. Only families that record call sites ask for its origin.
pub(crate) trait Caller {
    /// The place of the call.
    fn origin(&self) -> Origin;

    /// Whether a panic may unwind through the caller.
    fn can_unwind(&self) -> bool;
}

// For the reference: in Rust 1.89 a location lends its file only for as long as it is borrowed itself.
impl Caller for &'static Location<'static> {
    fn origin(&self) -> Origin {
        Origin {
            file: self.file(),
            line: self.line(),
            column: self.column(),
        }
    }

    fn can_unwind(&self) -> bool {
        true
    }
}

impl Origin {
    /// Whether both are the same place. The same text at two addresses is not the same file.
    pub(in crate::heap) fn is(&self, other: &Self) -> bool {
        core::ptr::eq(self.file, other.file) && self.numbers() == other.numbers()
    }

    /// A number that differs from place to place.
    pub(in crate::heap) fn hash(&self) -> usize {
        let (line, column) = self.numbers();
        let place = (line as usize) << 8 ^ column as usize;
        self.file.as_ptr().addr() ^ place
    }

    fn numbers(&self) -> (u32, u32) {
        (self.line, self.column)
    }
}
