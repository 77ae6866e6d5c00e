//! The check: derives every figure again, from the maps and the caches alone.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::family::central::Central;
use crate::heap::ground::Placement;
use crate::heap::pages::large::Large;
use crate::heap::pages::{
    Extent, MemoryState, NO_OWNER, Page, Record, Slack, TakenBlock, fullness_of, is_block, spot_of,
};
use crate::os::ReentrancyGuard;

/// A figure that has two values, depending on how it is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inconsistency {
    pub(crate) what: &'static str,
    pub(crate) kept: u64,
    pub(crate) found: u64,
}

/// What the walk over the pages finds.
#[derive(Default)]
struct Found {
    /// Units that are taken, or that lie in a word with an owner.
    taken_units: u64,
    /// Units that are taken in the maps and not on their way to their owners.
    held_units: u64,
    row_blocks: u64,
    row_units: u64,
    /// Words with an owner.
    owned_words: u64,
    /// Units of blocks beyond those that were asked for.
    slack: u64,
    other_blocks: u64,
    other_units: u64,
    /// Bytes of empty extents that keep their memory.
    retained: u64,
}

impl Heap {
    /// Compares all counts of the family with its pages and caches.
    ///
    /// This is exact only while no thread is in a call for this family.
    pub(crate) fn check(&'static self) -> Result<(), Inconsistency> {
        let cached = cached_blocks(&self.central());
        // Other threads may put blocks into their caches meanwhile. Beyond this room the check is not exact.
        let mut scratch = Vec::with_capacity(usize::try_from(cached).unwrap_or(0) + 4_096);
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        central.drain_inbox(self);
        let mut found = Found::default();
        for record in central.records() {
            match record {
                Record::Extent(extent) => found.add_extent(extent)?,
                Record::Large(large) => found.add_large(large),
            }
        }
        same(
            "retained bytes",
            central.retained.kept() as u64,
            found.retained,
        )?;
        let account = &central.account;
        same("taken units", account.taken_units, found.taken_units)?;
        same("rows", account.row_blocks, found.row_blocks)?;
        same("units of rows", account.row_units, found.row_units)?;
        check_owners(&central, &found)?;
        if self.geometry.placement() != Placement::Counted {
            let live = account.other_allocated - account.other_released;
            same("large blocks", live, found.other_blocks)?;
            same("large units", account.other_units, found.other_units)?;
        }
        same("slack units", central.slack(), found.slack)?;
        check_live(&mut central, &found, &mut scratch)
    }
}

impl Found {
    fn add_large(&mut self, large: &Large) {
        if let Some(units) = large.live_units() {
            self.other_blocks += 1;
            self.other_units += units as u64;
        }
    }

    fn add_extent(&mut self, extent: &'static Extent) -> Result<(), Inconsistency> {
        let before = self.taken_units;
        for page in extent.pages() {
            self.add_page(page)?;
        }
        let in_pages = self.taken_units - before;
        same(
            "taken units of an extent",
            extent.taken_units() as u64,
            in_pages,
        )?;
        if extent.memory_state() == MemoryState::Retained {
            self.retained += extent.bytes() as u64;
        }
        let are_right = extent.samples_are_of_taken_units();
        same("samples of free units", 0, u64::from(!are_right))?;
        let fullness = extent.fullness.load(core::sync::atomic::Ordering::Relaxed);
        same(
            "fullness of an extent",
            fullness.into(),
            fullness_of(extent).into(),
        )
    }

    fn add_page(&mut self, page: Page) -> Result<(), Inconsistency> {
        let map = page.map();
        let free: usize = map.free_runs().map(|run| run.units).sum();
        let found = (page.capacity() - free) as u64;
        same("taken units of a page", page.taken() as u64, found)?;
        same("bits of a page's map", map.taken_units() as u64, found)?;
        let all_taken = page.whole_map().taken_units();
        let free = (page.capacity() - all_taken) as u64;
        same("free units of a page", page.all_free() as u64, free)?;
        let sent = (0..map.words()).map(|word| u64::from(page.sent_units(word).count_ones()));
        self.held_units += all_taken as u64 - sent.sum::<u64>();
        let owned = page.words().iter().filter(|word| word.owner() != NO_OWNER);
        let owned = owned.count() as u64;
        same("owned words of a page", page.owned_words() as u64, owned)?;
        self.owned_words += owned;
        same(
            "in use",
            u64::from(page.is_in_use()),
            u64::from(page.is_in_use() || found > 0),
        )?;
        self.taken_units += found;
        let before = self.row_blocks;
        for block in page.blocks() {
            self.add_block(block)?;
        }
        let rows = self.row_blocks - before;
        same("rows of a page", page.rows() as u64, rows)
    }

    fn add_block(&mut self, block: TakenBlock) -> Result<(), Inconsistency> {
        let TakenBlock { spot, units } = block;
        if units > 1 {
            let map = spot.page.whole_map();
            let all = spot.index..spot.index + units;
            let taken = all.filter(|unit| map.is_taken(*unit)).count();
            same("taken units of a block", units as u64, taken as u64)?;
            self.slack += Slack::at(spot, units) as u64;
            self.row_blocks += 1;
            self.row_units += units as u64;
        }
        Ok(())
    }
}

/// Compares the counts and lists of records with the words.
fn check_owners(central: &Central, found: &Found) -> Result<(), Inconsistency> {
    let mut all = 0;
    for record in central.caches.iter() {
        let mut own = 0;
        for page in record.own_pages() {
            let number = u64::from(record.number());
            same("owner of a page", number, page.owner().into())?;
            let words = page.words().iter().enumerate();
            let owned = words.filter(|(_, word)| word.is_owned_by(record.number()));
            let before = own;
            for (word, _) in owned {
                check_ready(record, page, word)?;
                own += 1;
            }
            if page.is_whole() {
                let words = page.words().len() as u64;
                same("owned words of a whole page", words, own - before)?;
            }
        }
        for (page, word) in record.single_words() {
            check_ready(record, page, word)?;
            own += 1;
        }
        same("owned words of a record", record.owned_words() as u64, own)?;
        all += own;
    }
    same("owned words", all, found.owned_words)
}

/// A refill must find each word with a free unit.
fn check_ready(record: &CacheRecord, page: Page, word: usize) -> Result<(), Inconsistency> {
    let is_ready = record.is_ready(page, word);
    let has_free = page.whole_map().free_in(word) != 0;
    same("ready words", (is_ready || !has_free).into(), 1)
}

/// Compares the contents of caches with the maps, and the live units with the counts.
fn check_live(
    central: &mut Central,
    found: &Found,
    scratch: &mut Vec<usize>,
) -> Result<(), Inconsistency> {
    let cached = cached_blocks(central);
    same("distinct cached blocks", cached, distinct(central, scratch))?;
    // Other threads may be in calls. Then a difference must be an answer and not a panic.
    let idle = cached_units(central) + central.slack();
    let units = found.held_units.saturating_sub(idle);
    let live = central.live();
    same("live units", live.paged, units)?;
    same(
        "allocated less released",
        live.blocks,
        live.allocated - live.released,
    )
}

/// Counts the distinct cached blocks that the maps have as taken blocks of the same length.
fn distinct(central: &Central, scratch: &mut Vec<usize>) -> u64 {
    let taken = kept_back(central).filter(|(first, units)| is_block(spot_of(*first), *units));
    // No more than the vector has room for: nothing may allocate under the lock.
    scratch.extend(
        taken
            .take(scratch.capacity())
            .map(|(first, _)| first.addr().get()),
    );
    scratch.sort_unstable();
    scratch.dedup();
    scratch.len() as u64
}

/// The blocks of all caches and of the quarantine.
fn kept_back(central: &Central) -> impl Iterator<Item = (NonNull<u8>, usize)> {
    let cached = central.caches.iter().flat_map(CacheRecord::blocks);
    let rows = cached.chain(central.quarantine.iter());
    rows.map(|row| (row.first, row.units))
}

fn cached_blocks(central: &Central) -> u64 {
    kept_back(central).count() as u64
}

fn cached_units(central: &Central) -> u64 {
    kept_back(central).map(|(_, units)| units as u64).sum()
}

fn same(what: &'static str, kept: u64, found: u64) -> Result<(), Inconsistency> {
    if kept == found {
        return Ok(());
    }
    Err(Inconsistency { what, kept, found })
}
