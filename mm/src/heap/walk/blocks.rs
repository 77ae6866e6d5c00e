//! VM pages and their blocks as the program sees them: a block is live, or it is part of a run of units that
//! are not live.
//!
//! The contents of a page are copied as for a visit (see `visit`), and shown under no lock.

use super::visit::{LiveUnits, MOST_WORDS};
use crate::heap::family::Heap;
use crate::heap::ground::BlockView;
use crate::heap::pages::Page;
use crate::os::ReentrancyGuard;

/// A walk over one family.
pub(crate) struct Walk {
    heap: &'static Heap,
    /// The starts of the blocks in other threads' caches.
    cached: Vec<usize>,
}

/// A VM page that memory may back, or a large block.
#[derive(Clone, Copy)]
pub(crate) struct PageView(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Page(Page),
    Large(BlockView),
}

impl Heap {
    /// Begins a walk. It is exact while no other thread allocates or releases. It allocates only if other
    /// threads' caches have blocks.
    pub(crate) fn walk(&'static self) -> Walk {
        Walk {
            heap: self,
            cached: self.cached_elsewhere(),
        }
    }
}

impl Walk {
    /// The pages that memory may back now, those of the newest address space first.
    pub(crate) fn pages(&self) -> impl Iterator<Item = PageView> {
        self.heap.records().flat_map(|record| {
            let in_use = record.pages().filter(|page| page.is_in_use());
            let large = record.large().and_then(|large| self.heap.block_of(large));
            in_use
                .map(|page| PageView(Kind::Page(page)))
                .chain(large.map(|block| PageView(Kind::Large(block))))
        })
    }

    /// The blocks of a page by address, and the runs between them.
    pub(crate) fn blocks(&self, page: PageView) -> impl Iterator<Item = BlockView> {
        let (page, large) = match page.0 {
            Kind::Page(page) => (Some(self.copy(page)), None),
            Kind::Large(block) => (None, Some(block)),
        };
        page.into_iter().flat_map(Blocks::views).chain(large)
    }

    fn copy(&self, page: Page) -> Blocks {
        let mut blocks = Blocks {
            page,
            live: LiveUnits::none(),
            continues: [0; MOST_WORDS],
        };
        let _inside = ReentrancyGuard::enter();
        self.heap.flush_own();
        let _central = self.heap.central();
        blocks.live.copy(page, &self.cached);
        for (word, continues) in (0..page.whole_map().words()).zip(&mut blocks.continues) {
            *continues = page.whole_map().continued_in(word);
        }
        blocks
    }
}

/// A copy of what is in one VM page.
struct Blocks {
    page: Page,
    live: LiveUnits,
    /// Units that continue the block of the unit before.
    continues: [u64; MOST_WORDS],
}

impl Blocks {
    fn views(self) -> impl Iterator<Item = BlockView> {
        let mut next = 0;
        core::iter::from_fn(move || {
            let first = next;
            let is_live = (first < self.page.capacity()).then(|| self.live.holds(first))?;
            let units = self.units_from(first, is_live);
            next += units;
            Some(BlockView {
                first: self.page.unit(first),
                units,
                is_live,
            })
        })
    }

    /// Units from `first` on that are one block, or that are not live.
    fn units_from(&self, first: usize, is_live: bool) -> usize {
        let next = (first + 1..self.page.capacity()).find(|unit| {
            let continues = self.continues[unit / 64] >> (unit % 64) & 1 != 0;
            self.live.holds(*unit) != is_live || (is_live && !continues)
        });
        next.unwrap_or(self.page.capacity()) - first
    }
}

impl PageView {
    /// Address of the page's first byte.
    pub(crate) fn address(&self) -> usize {
        match self.0 {
            Kind::Page(page) => page.address(),
            Kind::Large(block) => block.first.addr().get(),
        }
    }
}
