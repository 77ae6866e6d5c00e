//! A live block, and what it must contain.

use mm::{FreeError, PageFamily};

use crate::cookie::{self, Cookie, Damage};
use crate::kinds::{AnyBlock, Kind};

/// A live block with a cookie all over it.
pub(crate) struct Held {
    pub(crate) kind: Kind,
    pub(crate) units: usize,
    generation: u64,
    block: AnyBlock,
}

/// What is wrong with a block.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// Its content, at this address.
    Content(usize, Damage),
    /// A new one's address.
    Alignment(usize),
    /// A new one's length.
    Bytes { expected: usize, found: usize },
    /// Its release was refused.
    Refused(FreeError),
}

impl Held {
    /// Allocates a block and writes its cookie.
    pub(crate) fn make(
        kind: Kind,
        family: &'static PageFamily,
        units: usize,
        generation: u64,
        is_zeroed: bool,
    ) -> Result<Self, Wrong> {
        let mut block = AnyBlock::make(kind, family, units, is_zeroed);
        let (payload, layout) = (block.payload(), family.layout());
        let address = payload.as_ptr().addr();
        if !address.is_multiple_of(layout.align()) {
            return Err(Wrong::Alignment(address));
        }
        let (expected, found) = (units * layout.size(), payload.len());
        if expected != found {
            return Err(Wrong::Bytes { expected, found });
        }
        if is_zeroed {
            cookie::check_zero(payload).map_err(|damage| Wrong::Content(address, damage))?;
        }
        Cookie::new(address, kind as usize, units, generation).write(payload);
        Ok(Self {
            kind,
            units,
            generation,
            block,
        })
    }

    /// Checks the cookie and releases the block.
    pub(crate) fn release(mut self, by_address: bool) -> Result<(), Wrong> {
        let payload = self.block.payload();
        let address = payload.as_ptr().addr();
        let cookie = Cookie::new(address, self.kind as usize, self.units, self.generation);
        cookie
            .check(payload)
            .map_err(|damage| Wrong::Content(address, damage))?;
        self.block.release(by_address).map_err(Wrong::Refused)
    }
}
