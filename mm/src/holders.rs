//! Who holds the memory, said when none is left: without allocating, and with no lock but that of
//! one family at a time.

use core::fmt::{self, Display, Formatter};

use crate::error;
use crate::family::{self, PageFamily};
use crate::report::{Grouped, Size};
use crate::shown::Shown;

/// Families that are named.
const MOST: usize = 10;

/// The families with the most live bytes, the largest first.
pub(crate) struct Holders([Option<Holder>; MOST]);

/// A family and its live units.
#[derive(Clone, Copy)]
struct Holder {
    family: &'static PageFamily,
    units: u64,
}

impl Holders {
    /// Looks at every family that ever allocated.
    pub(crate) fn now() -> Self {
        let mut largest = Self([None; MOST]);
        for family in family::listed() {
            largest.add(Holder {
                family,
                units: family.live_units(),
            });
        }
        largest
    }

    /// The first few, for an error.
    pub(crate) fn largest<const N: usize>(&self) -> [Option<error::Holder>; N] {
        core::array::from_fn(|place| {
            let held = self.0.get(place).copied().flatten()?;
            Some(error::Holder {
                family: held.family.label(),
                live_bytes: u64::try_from(held.bytes()).unwrap_or(u64::MAX),
            })
        })
    }

    /// Puts a family in its place, if it has one among the largest.
    fn add(&mut self, new: Holder) {
        let is_smaller = |held: &Option<Holder>| held.is_none_or(|held| held.bytes() < new.bytes());
        let Some(place) = self.0.iter().position(is_smaller) else {
            return;
        };
        if new.bytes() > 0 {
            self.0[place..].rotate_right(1);
            self.0[place] = Some(new);
        }
    }
}

impl Holder {
    fn bytes(&self) -> u128 {
        u128::from(self.units) * self.family.layout().size() as u128
    }
}

impl Display for Holders {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().flatten().try_for_each(|held| {
            let (size, units) = (Size(held.bytes()), Grouped(held.units.into()));
            let label = Shown(held.family.label());
            write!(f, "\n  {size} in {units} units of `{label}`")
        })
    }
}
