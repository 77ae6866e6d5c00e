//! Profiles as text.

use core::cmp::Reverse;
use core::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{CallSite, FamilyProfile, Profile};
use crate::number::{Grouped, Size};
use crate::shown::Shown;

/// The most call sites that are shown for a family.
const MOST_SITES: usize = 20;

impl Display for Profile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let holders = || {
            self.families
                .iter()
                .filter(|family| family.leaked_blocks() > 0)
        };
        let mut largest: Vec<_> = holders().collect();
        largest.sort_by_key(|family| Reverse(family.leaked_bytes()));
        let blocks: u64 = holders().map(FamilyProfile::leaked_blocks).sum();
        let bytes: u128 = holders().map(FamilyProfile::leaked_bytes).sum();
        match largest.len() {
            1 => f.write_str("1 page family holds ")?,
            families => write!(f, "{} page families hold ", Grouped(families as u128))?,
        }
        write!(f, "{}, {}", Blocks(blocks), Size(bytes))?;
        largest
            .iter()
            .try_for_each(|family| write!(f, "\n{family}"))
    }
}

impl Display for FamilyProfile {
    /// Writes what is live and not kept, and a line for each call site.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let held = Held(self.leaked_blocks(), self.leaked_units(), self.unit_size);
        write!(f, "{} ", Shown(self.name))?;
        if self.key.shares_path() {
            write!(f, "({}): {held}", self.key)?;
        } else {
            write!(f, "({}): {held}", Shown(self.path))?;
        }
        if self.every > 1 {
            write!(
                f,
                "; of {} blocks one is recorded",
                Grouped(self.every.into())
            )?;
        }
        let live = || self.sites.iter().filter(|site| site.live_blocks > 0);
        for site in live().take(MOST_SITES) {
            let held = Held(site.live_blocks, site.live_units, self.unit_size);
            write!(f, "\n  {held}{site}")?;
        }
        let others = live().skip(MOST_SITES).count();
        if others > 0 {
            write!(f, "\n  and {others} more call sites")?;
        }
        if self.unrecorded_blocks > 0 {
            let rest = Held(
                self.unrecorded_blocks,
                self.unrecorded_units,
                self.unit_size,
            );
            write!(f, "\n  {rest} {}", self.why_unrecorded())?;
        }
        if self.kept_blocks > 0 {
            let kept = Held(self.kept_blocks, self.kept_units, self.unit_size);
            write!(f, "\n  besides, kept on purpose: {kept}")?;
        }
        Ok(())
    }
}

impl FamilyProfile {
    fn leaked_bytes(&self) -> u128 {
        u128::from(self.leaked_units()) * u128::from(self.unit_size)
    }

    /// Returns the possible reasons why blocks are not recorded. The reason of a single block is unknown.
    fn why_unrecorded(&self) -> &'static str {
        match (self.unit_size, self.every, self.lacked_room) {
            (0, ..) => "not recorded, since units without a size never are",
            (_, 0, _) => "not recorded, since the family is not tracked",
            (_, 1, false) => "allocated before tracking",
            (_, 1, true) => "allocated before tracking, or without room for a record",
            (.., false) => "allocated between two samples, or before tracking",
            (.., true) => {
                "allocated between two samples, before tracking, or without room for a record"
            }
        }
    }
}

impl Display for CallSite {
    /// Writes place, thread and age, and the stack and the value as far as they are known.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, " at {}", self.location)?;
        if !self.thread.is_empty() {
            write!(f, " by thread {}", Shown(self.thread))?;
        }
        if let Some(oldest) = self.oldest {
            write!(f, ", the oldest {} ago", Age(oldest))?;
        }
        if let Some(value) = &self.value {
            write!(
                f,
                ", and its value begins with \"{}\"",
                value.escape_ascii()
            )?;
        }
        if self.value_unreadable {
            f.write_str(", and its value is not readable")?;
        }
        let frames = self.backtrace();
        frames
            .iter()
            .try_for_each(|frame| write!(f, "\n    in {frame}"))
    }
}

/// Blocks, units, and bytes of one unit.
struct Held(u64, u64, u64);

impl Display for Held {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let &Self(blocks, units, unit_size) = self;
        let size = Size(u128::from(units) * u128::from(unit_size));
        write!(f, "{size} in {}", Blocks(blocks))?;
        if units == blocks {
            return Ok(());
        }
        write!(f, " of {} units", Grouped(units.into()))
    }
}

/// A number of blocks.
struct Blocks(u64);

impl Display for Blocks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { "block" } else { "blocks" };
        write!(f, "{} {noun}", Grouped(self.0.into()))
    }
}

/// A time span, in its two largest units.
struct Age(Duration);

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0.as_secs(), self.0.subsec_millis());
        match seconds {
            0 => write!(f, "{rest} ms"),
            1..60 => write!(f, "{seconds}.{} s", rest / 100),
            60..3_600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3_600..86_400 => write!(f, "{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;

    use super::*;
    use crate::family::PageFamily;

    #[test]
    fn all_possible_reasons_are_named() {
        let layout = Layout::new::<u64>();
        let family = PageFamily::register("show:unrecorded", layout).expect("a new name");
        family.alloc(1).expect("memory");
        let check = |unit_size, every, lacked_room, why: &str| {
            let profile = FamilyProfile {
                unit_size,
                every,
                lacked_room,
                ..family.profile()
            };
            let text = profile.to_string();
            let line = text.lines().last().expect("one for what is not recorded");
            assert!(line.ends_with(&format!(" in 1 block {why}")), "{text}");
        };
        let never = "not recorded, since units without a size never are";
        check(0, 1, false, never);
        check(0, 0, false, never);
        check(8, 0, false, "not recorded, since the family is not tracked");
        check(8, 1, false, "allocated before tracking");
        let no_room = "or without room for a record";
        check(8, 1, true, &format!("allocated before tracking, {no_room}"));
        let samples = "allocated between two samples,";
        check(8, 9, false, &format!("{samples} or before tracking"));
        check(8, 9, true, &format!("{samples} before tracking, {no_room}"));
    }
}
