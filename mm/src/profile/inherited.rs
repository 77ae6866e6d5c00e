//! Blocks that a forked child inherited from its parent, which are not its leaks.

use super::FamilyProfile;
use crate::heap::{Amount, Inherited};

impl FamilyProfile {
    /// Subtracts the inherited blocks from the family's figures. The sites must be without them already.
    ///
    /// For unrecorded blocks it is unknown which process allocated them, so only the increase since the fork
    /// counts. A child that released some of its parent's blocks may have allocated more than that; those are
    /// not reported.
    pub(super) fn leave_out(&mut self, inherited: &Inherited) {
        let recorded = Amount {
            blocks: self.sites.iter().map(|site| site.live_blocks).sum(),
            units: self.sites.iter().map(|site| site.live_units).sum(),
        };
        let leaked = self.more_leaked(inherited, recorded);
        self.unrecorded_blocks = leaked.blocks - recorded.blocks;
        self.unrecorded_units = leaked.units - recorded.units;
        self.kept_blocks = self.kept_blocks.saturating_sub(inherited.kept.blocks);
        self.kept_units = self.kept_units.saturating_sub(inherited.kept.units);
        self.live_blocks = leaked.blocks + self.kept_blocks;
        self.live_units = leaked.units + self.kept_units;
    }

    /// Returns the increase of live but not kept blocks since the fork, at least `recorded`.
    fn more_leaked(&self, inherited: &Inherited, recorded: Amount) -> Amount {
        let Inherited { live, kept } = inherited;
        let blocks = more(
            [self.live_blocks, live.blocks],
            [self.kept_blocks, kept.blocks],
        );
        let units = more([self.live_units, live.units], [self.kept_units, kept.units]);
        // More units mean at least one more block, and each block has at least one unit.
        let blocks = blocks.max(u64::from(units > 0)).max(recorded.blocks);
        let units = units.max(recorded.units + (blocks - recorded.blocks));
        Amount { blocks, units }
    }
}

/// Returns the increase of live but not kept blocks or units. Both arguments are `[now, before]`. Blocks that
/// only lost their mark as kept do not count.
fn more(live: [u64; 2], kept: [u64; 2]) -> u64 {
    let [leaked, leaked_before] = [0, 1].map(|when| live[when].saturating_sub(kept[when]));
    let more_live = live[0].saturating_sub(live[1]);
    more_live.min(leaked.saturating_sub(leaked_before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::samples;

    /// Makes a family with live, kept and recorded blocks of two units each.
    fn family(live: u64, kept: u64, recorded: u64) -> FamilyProfile {
        let mut family = samples::family(Vec::new());
        (family.live_blocks, family.live_units) = (live, 2 * live);
        (family.kept_blocks, family.kept_units) = (kept, 2 * kept);
        let mut site = samples::site(7, "main", 2 * recorded);
        site.live_blocks = recorded;
        family.sites = vec![site];
        family
    }

    fn inherited(live: u64, kept: u64) -> Inherited {
        let amount = |blocks| Amount {
            blocks,
            units: 2 * blocks,
        };
        Inherited {
            live: amount(live),
            kept: amount(kept),
        }
    }

    /// Returns the leaked, kept and unrecorded blocks of a child.
    fn left(mut child: FamilyProfile, inherited: &Inherited) -> [u64; 3] {
        child.leave_out(inherited);
        assert_eq!(child.leaked_units(), 2 * child.leaked_blocks());
        assert_eq!(child.unrecorded_units, 2 * child.unrecorded_blocks);
        [
            child.leaked_blocks(),
            child.kept_blocks,
            child.unrecorded_blocks,
        ]
    }

    #[test]
    fn a_child_reports_its_own_blocks() {
        // It allocated nothing.
        assert_eq!(left(family(10, 3, 0), &inherited(10, 3)), [0, 0, 0]);
        // It allocated some, not recorded.
        assert_eq!(left(family(14, 3, 0), &inherited(10, 3)), [4, 0, 4]);
        // It allocated some, recorded, and released some of its parent's.
        assert_eq!(left(family(8, 3, 2), &inherited(10, 3)), [2, 0, 0]);
        // It keeps some, and some of the parent's are no longer kept.
        assert_eq!(left(family(12, 4, 1), &inherited(10, 3)), [1, 1, 0]);
        assert_eq!(left(family(10, 2, 0), &inherited(10, 3)), [0, 0, 0]);
    }

    #[test]
    fn blocks_and_units_that_cannot_both_be_counted_make_sense() {
        let mut child = family(10, 0, 0);
        // It allocated one block of many units, and released several of its parent's.
        child.live_units = 100;
        child.leave_out(&inherited(12, 0));
        assert_eq!((child.leaked_blocks(), child.leaked_units()), (1, 76));
        let mut child = family(12, 0, 0);
        child.live_units = 12;
        child.leave_out(&inherited(10, 0));
        assert_eq!((child.leaked_blocks(), child.leaked_units()), (2, 2));
    }
}
