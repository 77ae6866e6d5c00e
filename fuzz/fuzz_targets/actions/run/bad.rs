//! Releases that must be refused.

use std::ptr;

use mm::PageFamily;

use super::{Run, index};
use crate::action::{Bad, Foreign, Order, ReleaseHow};
use crate::block::Block;
use crate::refused::{self, Place};

/// The number of released addresses that a full check tries to release again.
const RELEASED_CHECKED: u8 = 16;

/// An address, the family that shall release it, and where the address is.
type Attempt = (usize, Option<&'static PageFamily>, Place);

impl Run {
    pub(super) fn release_twice(&mut self, pick: u16, how: ReleaseHow) {
        let has_bytes = |block: &mut Block| block.has_bytes();
        if !self.oracle.pick(pick).is_some_and(has_bytes) {
            return;
        }
        for mut block in self.oracle.take(pick.into(), 1, Order::Forward) {
            let (family, address) = (block.family.page_family(), block.start());
            self.workers.on(block.worker, move || {
                block.release(how);
                refused::release(address, None, Place::JustReleased(family));
                refused::release(address, Some(family), Place::JustReleased(family));
            });
        }
    }

    pub(super) fn release_bad(&mut self, worker: u8, bad: Bad) {
        if let Some((address, asked, place)) = self.bad(bad) {
            let release = move || refused::release(address, asked, place);
            self.workers.on(index(worker), release);
        }
    }

    fn bad(&mut self, bad: Bad) -> Option<Attempt> {
        Some(match bad {
            Bad::Inside { pick, offset } => {
                let block = self.oracle.pick(pick)?;
                let inside = (offset as usize).checked_rem(block.len())?;
                let place = Place::Inside(block.family.page_family());
                (block.start() + inside, None, place)
            }
            Bad::WrongFamily { pick, asked } => {
                let asked = self.page_family(self.kind(asked));
                let block = self.oracle.pick(pick).filter(|block| block.has_bytes())?;
                let owner = block.family.page_family();
                (block.start(), Some(asked), Place::Inside(owner))
            }
            Bad::Old { pick } => self.old(pick, None)?,
            Bad::OldOf { pick, asked } => self.old(pick, Some(asked))?,
            Bad::Near { pick, offset } => {
                let block = self.oracle.pick(pick).filter(|block| block.has_bytes())?;
                let start = block.start();
                (
                    start.wrapping_add_signed(offset as isize),
                    None,
                    Place::Unknown,
                )
            }
            Bad::Foreign { address } => (foreign(address), None, Place::Foreign),
        })
        .filter(|(address, asked, _)| !self.is_live(*address, *asked))
    }

    fn old(&self, pick: u8, asked: Option<u8>) -> Option<Attempt> {
        let released = &self.oracle.released;
        let old = released[usize::from(pick).checked_rem(released.len())?];
        let asked = asked.map(|asked| self.page_family(self.kind(asked)));
        let family = self.page_family(old.kind);
        let place = match self.oracle.kind_at(old.address) {
            Some(kind) => {
                assert_eq!(kind, old.kind, "memory of one type is never another's");
                Place::Inside(family)
            }
            None => Place::Old(family),
        };
        Some((old.address, asked, place))
    }

    /// Returns whether a live block starts at `address` that the family `asked` would release.
    fn is_live(&self, address: usize, asked: Option<&'static PageFamily>) -> bool {
        let owner = self.oracle.kind_at(address);
        let owner = owner.map(|kind| self.page_family(kind));
        let releases = |owner: &'static PageFamily| asked.is_none_or(|asked| ptr::eq(asked, owner));
        self.oracle.is_start(address) && owner.is_some_and(releases)
    }

    /// Requires that the blocks released last cannot be released again.
    pub(super) fn check_released(&self) {
        for pick in 0..RELEASED_CHECKED {
            let old = self.old(pick, None);
            let dead = old.filter(|(address, _, _)| !self.oracle.is_start(*address));
            if let Some((address, asked, place)) = dead {
                refused::release(address, asked, place);
            }
        }
    }
}

fn foreign(address: Foreign) -> usize {
    static STATIC: u8 = 0;
    let on_the_stack = 0_u8;
    match address {
        Foreign::Stack => (&raw const on_the_stack).addr(),
        Foreign::Static => (&raw const STATIC).addr(),
        Foreign::Low(address) => address.into(),
        Foreign::High(below) => usize::MAX - usize::from(below),
    }
}
