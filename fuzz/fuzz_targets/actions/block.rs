//! One live block, as the oracle knows it.

use crate::action::ReleaseHow;
use crate::families::Family;
use crate::owner::{Owner, is_filled};

pub struct Block {
    pub family: &'static dyn Family,
    pub owner: Box<dyn Owner>,
    /// Index of the family.
    pub kind: usize,
    /// Index of the worker that has it.
    pub worker: usize,
    pub units: usize,
    pub fill: u8,
}

impl Block {
    pub fn start(&mut self) -> usize {
        self.owner.bytes().as_ptr().addr()
    }

    pub fn len(&self) -> usize {
        self.units * self.unit()
    }

    pub fn unit(&self) -> usize {
        self.family.page_family().layout().size()
    }

    /// Returns whether the block takes memory. Blocks without bytes share one address.
    pub fn has_bytes(&self) -> bool {
        self.len() > 0
    }

    pub fn check(&mut self) {
        let fill = self.fill;
        assert_eq!(self.owner.bytes().len(), self.len());
        assert!(is_filled(self.owner.bytes(), fill), "contents kept");
    }

    /// Fills the block with a new byte.
    pub fn refill(&mut self, fill: u8) {
        self.fill = fill;
        self.owner.bytes().fill(fill);
    }

    /// Releases the block on the calling thread.
    pub fn release(mut self, how: ReleaseHow) {
        self.check();
        match how {
            // A block whose units have no size cannot be found by its address.
            _ if self.unit() == 0 => drop(self.owner),
            ReleaseHow::Drop => drop(self.owner),
            ReleaseHow::Consume => self.owner.consume(self.fill),
            ReleaseHow::XfreeRaw => {
                // SAFETY: the block is live, and `into_raw` took it from its owner.
                let answer = unsafe { mm::xfree_raw(self.owner.into_raw()) };
                answer.expect("a live block can be released");
            }
            ReleaseHow::FamilyRelease => {
                // SAFETY: the block is live and of this family, and `into_raw` took it from its owner.
                let answer = unsafe { self.family.page_family().release(self.owner.into_raw()) };
                answer.expect("a live block can be released");
            }
        }
    }
}
