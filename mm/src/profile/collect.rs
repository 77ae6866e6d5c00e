//! Makes profiles of families.

use core::cmp::Reverse;
use core::ops::Range;
use std::time::Duration;

use super::{CallSite, FamilyProfile, Profile};
use crate::family::PageFamily;
use crate::heap::{self, Counted, Origin, Recorded, Scope, Site, SiteFigures, Whose};
use crate::os::{clock, process};
use crate::registry::families;
use crate::snapshot::Location;

/// Copies of the sites with blocks. They are made under the family's lock, where nothing may be allocated, so
/// their memory is reserved before.
#[derive(Default)]
struct Copies {
    sites: Vec<SiteCopy>,
    /// Return addresses of all sites.
    frames: Vec<usize>,
    /// The memory that was missing.
    missing: Missing,
}

/// The copy of one site.
struct SiteCopy {
    origin: Origin,
    thread: &'static str,
    frames: Range<usize>,
    figures: SiteFigures,
}

#[derive(Clone, Copy, Default)]
struct Missing {
    sites: usize,
    frames: usize,
}

/// Returns the live figures and call sites of all families.
pub(crate) fn profile() -> Profile {
    heap::flush_thread();
    let all = families().map(|family| family.profile_with(0, Whose::Anybody));
    Profile {
        families: all.collect(),
    }
}

/// Returns the live blocks that are not kept on purpose, and up to `bytes` bytes of one value of each call
/// site.
pub(crate) fn leaks(bytes: usize) -> Profile {
    leaks_among(Counted::Typed, |family| {
        family.profile_with(bytes, Whose::Anybody)
    })
}

/// Returns the result of [`leaks`] without the blocks that a forked child inherited from its parent.
pub(super) fn leaks_of_process(counted: Counted) -> Profile {
    let whose = if clock::was_forked() {
        Whose::Process
    } else {
        Whose::Anybody
    };
    leaks_among(counted, |family| family.profile_with(0, whose))
}

/// Returns all families whose blocks count as leaks.
fn families_with(counted: Counted) -> impl Iterator<Item = &'static PageFamily> {
    families().filter(move |family| counted.has(family.heap.contents()))
}

/// Applies `profile` to each family that counts, and leaves out families without leaked blocks and call sites without
/// live ones.
fn leaks_among(
    counted: Counted,
    profile: impl Fn(&'static PageFamily) -> FamilyProfile,
) -> Profile {
    heap::flush_thread();
    let all = families_with(counted).map(profile);
    let mut families: Vec<_> = all.filter(|family| family.leaked_blocks() > 0).collect();
    for family in &mut families {
        family.sites.retain(|site| site.live_blocks > 0);
    }
    Profile { families }
}

/// Returns the live blocks that the threads of a scope allocated.
pub(crate) fn leaks_of_scope(counted: Counted, scope: Scope) -> Profile {
    let of_scope = |family: &'static PageFamily| {
        let mut family = family.profile_with(0, Whose::Scope(scope));
        family.sites.retain(|site| site.live_blocks > 0);
        family.count_only_sites();
        family
    };
    let families = families_with(counted).map(of_scope);
    Profile {
        families: families.filter(|family| family.live_blocks > 0).collect(),
    }
}

impl PageFamily {
    /// Returns the profile with the call sites of blocks of `whose`, and `bytes` bytes of one value of each.
    pub(crate) fn profile_with(&'static self, bytes: usize, whose: Whose) -> FamilyProfile {
        // List it first: a fork takes only the locks of listed families.
        self.list();
        let (recorded, copies) = self.copy_sites(whose);
        // The bytes after the value belong to another unit.
        let bytes = bytes.min(self.layout().size());
        let now = clock::milliseconds();
        let sites = copies.sites.iter();
        let mut profile = FamilyProfile {
            name: self.name(),
            path: self.path(),
            location: self.location(),
            key: self.listed_key(),
            unit_size: self.layout().size() as u64,
            live_blocks: recorded.live_blocks,
            live_units: recorded.live_units,
            kept_blocks: recorded.kept.blocks,
            kept_units: recorded.kept.units,
            unrecorded_blocks: recorded
                .live_blocks
                .saturating_sub(recorded.blocks + recorded.kept.blocks),
            unrecorded_units: recorded
                .live_units
                .saturating_sub(recorded.units + recorded.kept.units),
            blocks_allocated: recorded.blocks_allocated,
            every: recorded.every,
            lacked_room: recorded.lacked_room,
            sites: merged(
                sites
                    .map(|site| call_site(site, &copies.frames, now, bytes))
                    .collect(),
            ),
        };
        if whose == Whose::Process {
            profile.leave_out(&recorded.inherited);
        }
        profile
    }

    /// Reads the tags, and copies the sites with blocks. Starts again with more memory if that was too
    /// little.
    fn copy_sites(&'static self, whose: Whose) -> (Recorded, Copies) {
        let mut copies = Copies::default();
        loop {
            let recorded = self.heap.look_at_tags(whose, |site| copies.add(site));
            if copies.is_whole() {
                return (recorded, copies);
            }
            copies.make_room();
        }
    }
}

impl Copies {
    /// Copies a site if there is room for it. Does not allocate.
    fn add(&mut self, site: &Site) {
        let figures = site.figures();
        if figures.blocks + figures.live_blocks == 0 {
            return;
        }
        let (frames, first) = (site.frames(), self.frames.len());
        let has_room = self.sites.len() < self.sites.capacity()
            && frames.len() <= self.frames.capacity() - first;
        if !has_room {
            self.missing.sites += 1;
            self.missing.frames += frames.len();
            return;
        }
        self.frames.extend_from_slice(frames);
        self.sites.push(SiteCopy {
            origin: site.origin,
            thread: site.thread,
            frames: first..self.frames.len(),
            figures,
        });
    }

    fn is_whole(&self) -> bool {
        self.missing.sites == 0
    }

    /// Discards the copies, and reserves memory for all sites that were found and for some new ones.
    fn make_room(&mut self) {
        let missing = core::mem::take(&mut self.missing);
        let with_more = |count: usize| count + count / 8 + 8;
        let sites = with_more(self.sites.len() + missing.sites);
        let frames = with_more(self.frames.len() + missing.frames);
        self.sites.clear();
        self.frames.clear();
        self.sites.reserve(sites);
        self.frames.reserve(frames);
    }
}

impl FamilyProfile {
    /// Replaces the figures of the family by the sums over its sites.
    fn count_only_sites(&mut self) {
        self.live_blocks = self.sites.iter().map(|site| site.live_blocks).sum();
        self.live_units = self.sites.iter().map(|site| site.live_units).sum();
        (self.kept_blocks, self.kept_units) = (0, 0);
        (self.unrecorded_blocks, self.unrecorded_units) = (0, 0);
    }
}

/// Makes the public description of a site. `frames` are the frames of all sites.
fn call_site(site: &SiteCopy, frames: &[usize], now: u64, bytes: usize) -> CallSite {
    let (at, figures) = (site.origin, &site.figures);
    let is_live = figures.live_blocks > 0;
    // If the system has no clock, the age is unknown, not zero.
    let has_age = is_live && now > 0 && figures.oldest > 0;
    let is_asked = is_live && bytes > 0;
    let value = is_asked.then(|| process::copy_of(figures.oldest_address, bytes));
    CallSite {
        location: Location::new(at.file, at.line, at.column, ""),
        thread: site.thread,
        frames: frames[site.frames.clone()].into(),
        live_blocks: figures.live_blocks,
        live_units: figures.live_units,
        oldest: has_age.then(|| Duration::from_millis(now.saturating_sub(figures.oldest))),
        value_unreadable: value == Some(None),
        value: value.flatten(),
        blocks_recorded: figures.blocks,
        units_recorded: figures.units,
    }
}

/// Merges records of one source location. The compiler may keep several copies of a location.
fn merged(mut sites: Vec<CallSite>) -> Vec<CallSite> {
    fn key(site: &CallSite) -> (Location, &'static str, &[usize]) {
        (site.location, site.thread, &site.frames)
    }
    sites.sort_by(|a, b| (key(a), Reverse(a.oldest)).cmp(&(key(b), Reverse(b.oldest))));
    sites.dedup_by(|next, first| {
        let is_same = key(next) == key(first);
        if is_same {
            first.add(next);
        }
        is_same
    });
    sites.sort_by_key(|site| Reverse(site.live_units));
    sites
}

impl CallSite {
    /// Adds the figures of another record of the same site. Its blocks are not older.
    fn add(&mut self, other: &mut Self) {
        self.live_blocks += other.live_blocks;
        self.live_units += other.live_units;
        self.blocks_recorded += other.blocks_recorded;
        self.units_recorded += other.units_recorded;
    }
}
