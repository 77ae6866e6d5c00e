//! Where in the program a block is asked for.

use core::panic::Location;

/// A place in the program's source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// 0 if it is not known.
    pub(crate) column: u32,
}

/// Who asks for a block, in Rust or in C. Asked for its origin only by families that record it.
pub(crate) trait Caller {
    /// The place of the call.
    fn origin(&self) -> Origin;

    /// Whether a panic may go on through it.
    fn can_unwind(&self) -> bool;
}

// Of the reference: in Rust 1.89 a location lends its file for no longer than it is borrowed itself.
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
    /// Whether both are one place. Of the same text in two places of memory they say no.
    pub(in crate::heap) fn is(&self, other: &Self) -> bool {
        core::ptr::eq(self.file, other.file) && self.numbers() == other.numbers()
    }

    /// Numbers that differ from place to place.
    pub(in crate::heap) fn hash(&self) -> usize {
        let (line, column) = self.numbers();
        let place = (line as usize) << 8 ^ column as usize;
        self.file.as_ptr().addr() ^ place
    }

    fn numbers(&self) -> (u32, u32) {
        (self.line, self.column)
    }
}
