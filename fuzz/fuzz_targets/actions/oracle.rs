//! The oracle: the harness's own record of all live blocks.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::action::Order;
use crate::block::Block;

/// The most live bytes.
const MOST_BYTES: usize = 8 << 20;

/// The most live units. The walker visits each unit of each page that was ever used.
const MOST_UNITS: usize = 100_000;

/// The number of released addresses that are kept.
const MOST_RELEASED: usize = 256;

/// The figures of one family.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub blocks: u64,
    pub units: u64,
    pub allocated: u64,
}

/// The address of a released block.
#[derive(Clone, Copy, Debug)]
pub struct Released {
    pub kind: usize,
    pub address: usize,
}

pub struct Oracle {
    pub blocks: Vec<Block>,
    /// Ends and families of the live blocks that have bytes, by start.
    spans: BTreeMap<usize, (usize, usize)>,
    pub released: VecDeque<Released>,
    pub tallies: Vec<Tally>,
    bytes: usize,
    units: usize,
    fill: u8,
}

impl Oracle {
    pub fn new(families: usize) -> Self {
        Self {
            blocks: Vec::new(),
            spans: BTreeMap::new(),
            released: VecDeque::new(),
            tallies: vec![Tally::default(); families],
            bytes: 0,
            units: 0,
            fill: 0,
        }
    }

    /// Returns the number of blocks of `units` units and `bytes` bytes that may be added.
    pub fn room_for(&self, units: usize, bytes: usize) -> usize {
        let by_bytes = (MOST_BYTES - self.bytes) / bytes.max(1);
        by_bytes.min((MOST_UNITS - self.units) / units.max(1))
    }

    /// Returns the byte for the next block. It is never 0, the byte of zeroed memory.
    pub fn next_fill(&mut self) -> u8 {
        self.fill = self.fill % 255 + 1;
        self.fill
    }

    /// Adds a new block, which must not overlap another.
    pub fn add(&mut self, mut block: Block) {
        let tally = &mut self.tallies[block.kind];
        // Blocks of no units are not counted.
        let counted = u64::from(block.units > 0);
        tally.blocks += counted;
        tally.allocated += counted;
        tally.units += block.units as u64;
        self.units += block.units;
        if block.has_bytes() {
            self.add_span(&mut block);
        }
        self.blocks.push(block);
    }

    fn add_span(&mut self, block: &mut Block) {
        let (start, bytes) = (block.start(), block.len());
        let align = block.family.page_family().layout().align();
        assert_eq!(start % align, 0, "blocks are aligned");
        let before = self.spans.range(..start).next_back();
        assert!(before.is_none_or(|(_, (end, _))| *end <= start), "overlap");
        let after = self.spans.range(start..).next();
        assert!(
            after.is_none_or(|(next, _)| start + bytes <= *next),
            "overlap"
        );
        self.spans.insert(start, (start + bytes, block.kind));
        self.bytes += bytes;
    }

    /// Moves a block from the live to the released ones, before its release.
    fn forget(&mut self, block: &mut Block) {
        let tally = &mut self.tallies[block.kind];
        tally.blocks -= u64::from(block.units > 0);
        tally.units -= block.units as u64;
        self.units -= block.units;
        if !block.has_bytes() {
            return;
        }
        let address = block.start();
        self.spans.remove(&address).expect("live");
        self.bytes -= block.len();
        let kind = block.kind;
        self.released.push_front(Released { kind, address });
        self.released.truncate(MOST_RELEASED);
    }

    /// Returns a range of the list's blocks, cut at its end.
    pub fn range(&self, first: usize, count: usize) -> Range<usize> {
        let first = first.checked_rem(self.blocks.len()).unwrap_or(0);
        first..(first + count).min(self.blocks.len())
    }

    /// Takes adjacent blocks out of the list, in the order of their release.
    pub fn take(&mut self, first: usize, count: usize, order: Order) -> Vec<Block> {
        let range = self.range(first, count);
        let mut taken: Vec<_> = self.blocks.drain(range).collect();
        taken.iter_mut().for_each(|block| self.forget(block));
        ordered(taken, order)
    }

    /// Returns one of the blocks.
    pub fn pick(&mut self, pick: u16) -> Option<&mut Block> {
        let index = usize::from(pick).checked_rem(self.blocks.len())?;
        self.blocks.get_mut(index)
    }

    /// Returns whether a live block starts at `address`.
    pub fn is_start(&self, address: usize) -> bool {
        self.spans.contains_key(&address)
    }

    /// Returns the family of the live block that contains `address`.
    pub fn kind_at(&self, address: usize) -> Option<usize> {
        let (_, (end, kind)) = self.spans.range(..=address).next_back()?;
        (address < *end).then_some(*kind)
    }
}

fn ordered(mut blocks: Vec<Block>, order: Order) -> Vec<Block> {
    match order {
        Order::Forward => {}
        Order::Backward => blocks.reverse(),
        Order::Alternate => {
            let mut index = 0_usize;
            let (mut first, rest): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|_| {
                index += 1;
                index % 2 == 1
            });
            first.extend(rest);
            blocks = first;
        }
    }
    blocks
}
