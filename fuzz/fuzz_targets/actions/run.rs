//! Runs the actions of one input, and checks the results.

mod bad;

use mm::{AllocError, PageFamily};

use crate::action::{Action, LayoutPick, Order, ReleaseHow, RowHow};
use crate::block::Block;
use crate::families::{self, Family, TYPED};
use crate::figures::{self, Before};
use crate::oracle::Oracle;
use crate::owner::Owner;
use crate::workers::{WORKERS, Workers};

/// The most bytes that one action allocates, unless a single unit is larger.
const MOST_BYTES: usize = 1 << 20;

/// No process has this many bytes of address space.
const ADDRESS_SPACE: usize = 1 << 47;

/// One input's families, workers and blocks.
pub struct Run {
    families: Vec<&'static dyn Family>,
    workers: Workers,
    oracle: Oracle,
    before: Before,
}

impl Run {
    pub fn new(layout: LayoutPick) -> Self {
        let mut families = TYPED.to_vec();
        families.push(families::run_time(layout));
        let before = Before::read(&families);
        let oracle = Oracle::new(families.len());
        Self {
            families,
            workers: Workers::default(),
            oracle,
            before,
        }
    }

    pub fn act(&mut self, action: &Action) {
        match *action {
            Action::Singles {
                worker,
                family,
                count,
                how,
            } => {
                let make = move |family: &'static dyn Family, fill| family.single(how, fill);
                self.allocate(index(worker), self.kind(family), count.get(), 1, make);
            }
            Action::Rows {
                worker,
                family,
                units,
                count,
                how,
            } => {
                let kind = self.kind(family);
                let units = self.cut(kind, units.get());
                self.rows(index(worker), kind, usize::from(count % 8) + 1, units, how);
            }
            Action::Replace {
                first,
                count,
                less,
                how,
            } => self.replace(first.into(), count.into(), less.into(), how),
            Action::Huge {
                worker,
                family,
                shift,
            } => self.huge(worker, family, shift),
            Action::Release {
                first,
                count,
                order,
                how,
            } => self.release(first.into(), count.get(), order, how),
            Action::HandOver { first, count, to } => self.hand_over(first, count.get(), to),
            Action::ReleaseTwice { pick, how } => self.release_twice(pick, how),
            Action::ReleaseBad { worker, bad } => self.release_bad(worker, bad),
            Action::Restart { worker } => self.workers.end(index(worker)),
            Action::Trim { worker } => {
                self.workers.on(index(worker), mm::trim);
            }
            Action::Snapshot { worker } => self.snapshot(worker),
            Action::Check => self.check(),
        }
        self.check_some();
    }

    /// Releases all blocks that the input left, ends its threads, and requires that nothing stays.
    pub fn end(mut self) {
        self.check();
        self.release(0, usize::MAX / 2, Order::Forward, ReleaseHow::Drop);
        (0..WORKERS).for_each(|worker| self.workers.end(worker));
        self.check();
        mm::trim();
        mm::check().expect("the walker finds what the families keep");
        figures::nothing_left(&mm::snapshot());
    }

    fn kind(&self, family: u8) -> usize {
        usize::from(family) % self.families.len()
    }

    fn page_family(&self, kind: usize) -> &'static PageFamily {
        self.families[kind].page_family()
    }

    /// Reduces a number of units to the most that one action may allocate.
    fn cut(&self, kind: usize, units: usize) -> usize {
        let unit = self.page_family(kind).layout().size();
        units.min((MOST_BYTES / unit.max(1)).max(1))
    }

    fn rows(&mut self, worker: usize, kind: usize, count: usize, units: usize, how: RowHow) {
        let make = move |family: &'static dyn Family, fill| family.row(how, units, fill);
        self.allocate(worker, kind, count, units, make);
    }

    fn allocate(
        &mut self,
        worker: usize,
        kind: usize,
        count: usize,
        units: usize,
        make: impl Fn(&'static dyn Family, u8) -> Result<Box<dyn Owner>, AllocError> + Send + 'static,
    ) {
        let family = self.families[kind];
        let bytes = units * family.page_family().layout().size();
        let most = (MOST_BYTES / bytes.max(1)).max(1);
        let count = count.min(most).min(self.oracle.room_for(units, bytes));
        let fills: Vec<_> = (0..count).map(|_| self.oracle.next_fill()).collect();
        let blocks = self.workers.on(worker, move || {
            let make = |fill| Block {
                owner: make(family, fill).expect("memory"),
                family,
                kind,
                worker,
                units,
                fill,
            };
            fills.into_iter().map(make).collect::<Vec<_>>()
        });
        blocks.into_iter().for_each(|block| self.oracle.add(block));
    }

    /// Asks for more bytes than the address space has, or more than a `usize` can count.
    fn huge(&mut self, worker: u8, family: u8, shift: u8) {
        let family = self.families[self.kind(family)];
        let unit = family.page_family().layout().size();
        let units = usize::MAX >> (shift % 64);
        let bytes = units.checked_mul(unit);
        if bytes.is_some_and(|bytes| bytes < ADDRESS_SPACE) {
            return;
        }
        let make = move || family.row(RowHow::TryXcalloc, units, 1).err();
        let error = self.workers.on(index(worker), make);
        let is_right = match error {
            Some(AllocError::SizeOverflow { .. }) => bytes.is_none_or(|bytes| bytes > 1 << 62),
            Some(AllocError::OutOfMemory { .. }) => bytes.is_some(),
            _ => false,
        };
        assert!(is_right, "{units} units of {unit} bytes: {error:?}");
    }

    fn release(&mut self, first: usize, count: usize, order: Order, how: ReleaseHow) {
        let mut blocks = self.oracle.take(first, count, order);
        for worker in 0..WORKERS {
            let (own, others): (Vec<_>, _) =
                blocks.into_iter().partition(|block| block.worker == worker);
            blocks = others;
            if !own.is_empty() {
                let release = move || own.into_iter().for_each(|block| block.release(how));
                self.workers.on(worker, release);
            }
        }
    }

    fn replace(&mut self, first: usize, count: usize, less: usize, how: RowHow) {
        let old = &self.oracle.blocks[self.oracle.range(first, count)];
        let old: Vec<_> = old.iter().map(|b| (b.worker, b.kind, b.units)).collect();
        self.release(first, old.len(), Order::Forward, ReleaseHow::Drop);
        for (worker, kind, units) in old {
            let units = units - less % (units / 8 + 1);
            self.rows(worker, kind, 1, units, how);
        }
    }

    fn hand_over(&mut self, first: u16, count: usize, to: u8) {
        let to = index(to);
        let fill = self.oracle.next_fill();
        let range = self.oracle.range(first.into(), count);
        let mut given: Vec<_> = self.oracle.blocks.drain(range).collect();
        let given = self.workers.on(to, move || {
            for block in &mut given {
                block.check();
                block.refill(fill);
                block.worker = to;
            }
            given
        });
        self.oracle.blocks.extend(given);
    }

    fn snapshot(&mut self, worker: u8) {
        let snapshot = self.workers.on(index(worker), mm::snapshot);
        let (families, tallies) = (&self.families, &self.oracle.tallies);
        self.before.compare(&snapshot, families, tallies);
        figures::reports(&snapshot, families);
    }

    /// Checks the newest block and two others, where most errors show first.
    fn check_some(&mut self) {
        let blocks = &mut self.oracle.blocks;
        let some = [0, blocks.len() / 2, blocks.len().wrapping_sub(1)];
        for index in some {
            if let Some(block) = blocks.get_mut(index) {
                block.check();
            }
        }
    }

    /// Checks all blocks and figures, and the pages of all families that the input used.
    fn check(&mut self) {
        self.oracle.blocks.iter_mut().for_each(Block::check);
        self.check_released();
        let used = self.families.iter().zip(&self.oracle.tallies);
        for (family, _) in used.filter(|(_, tally)| tally.allocated > 0) {
            let answer = family.page_family().check();
            answer.expect("the walker finds what the family keeps");
        }
        let (families, tallies) = (&self.families, &self.oracle.tallies);
        self.before.compare(&mm::snapshot(), families, tallies);
    }
}

fn index(worker: u8) -> usize {
    usize::from(worker) % WORKERS
}
