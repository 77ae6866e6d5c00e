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

    /// Whether it takes memory: blocks of nothing share one address.
    pub fn has_bytes(&self) -> bool {
        self.len() > 0
    }

    pub fn check(&mut self) {
        let fill = self.fill;
        assert_eq!(self.owner.bytes().len(), self.len());
        assert!(is_filled(self.owner.bytes(), fill), "contents kept");
    }

    /// Fills it anew.
    pub fn refill(&mut self, fill: u8) {
        self.fill = fill;
        self.owner.bytes().fill(fill);
    }

    /// Releases it on the calling thread.
    pub fn release(mut self, how: ReleaseHow) {
        self.check();
        match how {
            // An address says nothing of a block whose units have no size.
            _ if self.unit() == 0 => drop(self.owner),
            ReleaseHow::Drop => drop(self.owner),
            ReleaseHow::Consume => self.owner.consume(self.fill),
            ReleaseHow::XfreeRaw => {
                // SAFETY: the block is live, and its owner gave it up.
                let answer = unsafe { mm::xfree_raw(self.owner.into_raw()) };
                answer.expect("a live block can be released");
            }
            ReleaseHow::FamilyRelease => {
                // SAFETY: the block is live, of this family, and its owner gave it up.
                let answer = unsafe { self.family.page_family().release(self.owner.into_raw()) };
                answer.expect("a live block can be released");
            }
        }
    }
}
