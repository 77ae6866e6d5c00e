//! Shows VM pages and the blocks in them, as they are for the program: a block is live, or it is part
//! of a run of units that are not.
//!
//! What a page holds is copied as for a visit (see `visit`), and shown under no lock.

use core::ptr::NonNull;

use super::Heap;
use super::large::Large;
use super::page::Page;
use super::record::Record;
use super::visit::{LiveUnits, MOST_WORDS};
use crate::os::Inside;

/// A VM page that memory may back, or a large block.
#[derive(Clone, Copy)]
pub(crate) struct PageView(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Page(Page),
    Large { first: NonNull<u8>, units: usize },
}

/// A block, or units in a row that are not live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockView {
    pub(crate) first: NonNull<u8>,
    pub(crate) units: usize,
    pub(crate) is_live: bool,
}

impl Heap {
    /// The pages that memory may back now, in no order.
    pub(crate) fn pages_in_use(&'static self) -> Vec<PageView> {
        let mut all = Vec::new();
        for record in self.records() {
            match record {
                Record::Extent(extent) => {
                    let pages = extent.pages().filter(|page| page.is_in_use());
                    all.extend(pages.map(|page| PageView(Kind::Page(page))));
                }
                Record::Large(large) => all.extend(self.large_in_use(large)),
            }
        }
        all
    }

    /// Calls `f` with every block of a page, from the first address on, and with what lies between.
    ///
    /// Exact while no other thread allocates or releases.
    pub(crate) fn for_each_block(&'static self, page: PageView, f: &mut dyn FnMut(BlockView)) {
        match page.0 {
            Kind::Large { first, units } => f(BlockView {
                first,
                units,
                is_live: true,
            }),
            Kind::Page(page) => self.copy_blocks(page).for_each(f),
        }
    }

    fn copy_blocks(&'static self, page: Page) -> Blocks {
        let cached = self.cached_elsewhere();
        let mut blocks = Blocks {
            page,
            live: LiveUnits::none(),
            joined: [0; MOST_WORDS],
        };
        let _inside = Inside::enter();
        self.flush_own();
        let _central = self.central();
        blocks.live.copy(page, &cached);
        for (word, joined) in (0..page.map().words()).zip(&mut blocks.joined) {
            *joined = page.map().joined_in(word);
        }
        blocks
    }

    fn large_in_use(&'static self, large: &'static Large) -> Option<PageView> {
        let _inside = Inside::enter();
        let _central = self.central();
        let (units, place) = large.live_units().zip(large.place())?;
        Some(PageView(Kind::Large {
            first: place.at(0),
            units,
        }))
    }
}

/// What is in one VM page: a copy.
struct Blocks {
    page: Page,
    live: LiveUnits,
    /// Which units belong to the block of the unit before.
    joined: [u64; MOST_WORDS],
}

impl Blocks {
    fn for_each(&self, f: &mut dyn FnMut(BlockView)) {
        let mut first = 0;
        while first < self.page.capacity() {
            let is_live = self.live.holds(first);
            let units = self.units_from(first, is_live);
            f(BlockView {
                first: self.page.unit(first),
                units,
                is_live,
            });
            first += units;
        }
    }

    /// Units from `first` on that are one block, or are not live.
    fn units_from(&self, first: usize, is_live: bool) -> usize {
        let next = (first + 1..self.page.capacity()).find(|unit| {
            let is_joined = self.joined[unit / 64] >> (unit % 64) & 1 != 0;
            self.live.holds(*unit) != is_live || (is_live && !is_joined)
        });
        next.unwrap_or(self.page.capacity()) - first
    }
}

impl PageView {
    /// Address of the page's first byte.
    pub(crate) fn address(&self) -> usize {
        match self.0 {
            Kind::Page(page) => page.unit(0).addr().get() - page.colour(),
            Kind::Large { first, .. } => first.addr().get(),
        }
    }
}
