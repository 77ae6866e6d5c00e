//! Compares all figures, exactly, while no thread allocates or releases.

use std::env;

use mm::{FamilySnapshot, PageFamily};

use crate::counts::Sum;
use crate::difference::{Comparison, Difference};
use crate::shared::Shared;
use crate::watcher::agrees_with_itself;

/// The kernel's huge page. One VM page in use may bring memory behind so many bytes around it,
/// which are not in use and so not mapped.
const HUGE: u64 = 2 << 20;

/// Requires that snapshot, walker and the program's own counts say the same.
pub(crate) fn all(shared: &Shared) -> Result<(), Difference> {
    walk()?;
    let sums = shared.sums();
    for (family, now) in shared.snapshot().iter().enumerate() {
        agrees_with_itself(now)?;
        one(now, &shared.start[family], sums[family])?;
        profile(now, shared.families[family])?;
    }
    // The snapshot must have changed nothing.
    walk()
}

/// Requires that nothing is live, and that all memory went back.
pub(crate) fn end(shared: &Shared) -> Result<(), Difference> {
    mm::trim();
    walked(mm::check())?;
    all(shared)?;
    for now in shared.snapshot() {
        let compare = Comparison { family: now.name };
        compare.same("live blocks at the end", now.live_blocks, 0)?;
        compare.same("live units at the end", now.live_units, 0)?;
        if keeps_released() {
            continue;
        }
        compare.same("cached units at the end", now.cached_units, 0)?;
        compare.same("VM pages at the end", now.vm_pages, 0)?;
        compare.same(
            "resident bytes at the end",
            now.resident_bytes.unwrap_or(0),
            0,
        )?;
    }
    Ok(())
}

/// Whether the process was started with a quarantine, whose blocks no trim gives back.
fn keeps_released() -> bool {
    env::var("MM_OPTIONS").is_ok_and(|options| options.contains("quarantine"))
}

/// Checks the families of the program. If mm is the global allocator, the watcher's snapshots come out of untyped
/// families, and it does not pause.
fn walk() -> Result<(), Difference> {
    let is_typed = |family: &&PageFamily| !family.name().starts_with("(untyped");
    let mut typed = mm::families().filter(is_typed);
    walked(typed.try_for_each(PageFamily::check))
}

fn walked(answer: Result<(), mm::CheckError>) -> Result<(), Difference> {
    answer.map_err(|error| Difference {
        family: "the walker".to_owned(),
        figure: "figures found in the pages".to_owned(),
        expected: "those that are kept".to_owned(),
        found: error.to_string(),
    })
}

/// Requires that what is recorded, and what is not, are together what is live.
fn profile(now: &FamilySnapshot, family: &'static PageFamily) -> Result<(), Difference> {
    let compare = Comparison { family: now.name };
    let profile = family.profile();
    let blocks: u64 = profile.sites.iter().map(|site| site.live_blocks).sum();
    let units: u64 = profile.sites.iter().map(|site| site.live_units).sum();
    compare.same(
        "profile's live blocks",
        profile.live_blocks,
        now.live_blocks,
    )?;
    compare.same(
        "profile's blocks",
        blocks + profile.unrecorded_blocks,
        now.live_blocks,
    )?;
    compare.same(
        "profile's units",
        units + profile.unrecorded_units,
        now.live_units,
    )
}

fn one(now: &FamilySnapshot, start: &FamilySnapshot, counted: Sum) -> Result<(), Difference> {
    let compare = Comparison { family: now.name };
    let allocated = now.blocks_allocated - start.blocks_allocated;
    let released = now.blocks_released - start.blocks_released;
    let live_units = counted.allocated_units - counted.released_units;
    compare.same("allocated", allocated, counted.allocated)?;
    compare.same("released", released, counted.released)?;
    compare.same(
        "live blocks",
        now.live_blocks,
        counted.allocated - counted.released,
    )?;
    compare.same("live units", now.live_units, live_units)?;
    let most = now.mapped_bytes + now.vm_pages * HUGE;
    compare.at_most("resident bytes", now.resident_bytes.unwrap_or(0), most)
}
