//! Finds the families that hold the most memory, for the error when an allocation is refused. It does not
//! allocate, and holds the lock of only one family at a time.

use core::fmt::{self, Display, Formatter};
use core::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use crate::error;
use crate::family::{self, PageFamily};
use crate::heap::{self, Link};
use crate::number::{Grouped, Size};
use crate::os::clock;
use crate::shown::Shown;

/// The most families that a ranking has.
const RANKS: usize = 10;

/// If there are at most this many families, every refusal ranks all of them. Each family takes about 0.1 us.
const ALWAYS_RANKED: usize = 128;

/// If there are more families, refusals reuse a ranking for this many milliseconds.
const MAX_AGE: u64 = 100;

/// The last ranking of all families. Each entry is set separately, so a thread that reads them during a change
/// may see some old and some new ones.
static LAST_RANKING: [Link<PageFamily>; RANKS] = [const { Link::none() }; RANKS];

/// Bytes that all untyped families held at the last ranking. There are about ninety such families.
static LAST_UNTYPED: AtomicU64 = AtomicU64::new(0);

/// Time of the last ranking, as counted by [`clock::milliseconds`]; 0 before the first.
static RANKED_AT: AtomicU64 = AtomicU64::new(0);

/// The families with the most live bytes, the largest first.
pub(crate) struct Holders([Option<Holder>; RANKS]);

/// A family and what it holds. All untyped families are one.
#[derive(Clone, Copy)]
struct Holder {
    family: Option<&'static PageFamily>,
    units: u64,
    bytes: u128,
}

/// The label of all untyped families.
const UNTYPED: &str = "(untyped)";

impl Holders {
    /// Ranks all listed families. Every family that ever allocated is listed.
    pub(crate) fn now() -> Self {
        Self::among(family::listed())
    }

    /// Ranks the families for a refused allocation of `refused`, at less cost.
    ///
    /// If there are many families, it ranks only `refused` and those that were the largest up to 0.1 s ago.
    /// The figures are current, except that of untyped memory.
    pub(crate) fn of_refusal(refused: &'static PageFamily) -> Self {
        if heap::numbered_families() > ALWAYS_RANKED && !is_due(clock::milliseconds()) {
            let last = LAST_RANKING.iter().filter_map(Link::get);
            let typed = last.chain([refused]).filter(|family| !family.is_untyped());
            let mut largest = Self::among(typed);
            largest.add(Holder::last_untyped());
            return largest;
        }
        let largest = Self::now();
        for (last, held) in LAST_RANKING.iter().zip(&largest.0) {
            last.set(held.and_then(|held| held.family));
        }
        let untyped = largest
            .0
            .iter()
            .flatten()
            .find(|held| held.family.is_none());
        LAST_UNTYPED.store(untyped.map_or(0, Holder::bytes_or_most), Relaxed);
        // The first ranking is complete only now. Until then all threads rank all families.
        let _ = RANKED_AT.compare_exchange(0, clock::milliseconds(), Release, Relaxed);
        largest
    }

    /// Ranks the given families, which may occur more than once.
    fn among(families: impl Iterator<Item = &'static PageFamily>) -> Self {
        let mut largest = Self([None; RANKS]);
        let mut untyped = Holder {
            family: None,
            units: 0,
            bytes: 0,
        };
        for family in families {
            let held = Holder::of(family);
            if family.is_untyped() {
                untyped.units += held.units;
                untyped.bytes += held.bytes;
            } else if !largest.has(family) {
                largest.add(held);
            }
        }
        largest.add(untyped);
        largest
    }

    fn has(&self, family: &'static PageFamily) -> bool {
        let mut held = self.0.iter().flatten();
        held.any(|held| held.family.is_some_and(|held| core::ptr::eq(held, family)))
    }

    /// The first `N`, for an error.
    pub(crate) fn largest<const N: usize>(&self) -> [Option<error::Holder>; N] {
        core::array::from_fn(|place| {
            let held = self.0.get(place).copied().flatten()?;
            Some(error::Holder {
                family: held.label(),
                live_bytes: held.bytes_or_most(),
            })
        })
    }

    /// Inserts a family in order of size, if it is among the largest.
    fn add(&mut self, new: Holder) {
        let is_smaller = |held: &Option<Holder>| held.is_none_or(|held| held.bytes < new.bytes);
        let Some(place) = self.0.iter().position(is_smaller) else {
            return;
        };
        if new.bytes > 0 {
            self.0[place..].rotate_right(1);
            self.0[place] = Some(new);
        }
    }
}

/// Whether the caller should rank all families again.
fn is_due(now: u64) -> bool {
    let last = RANKED_AT.load(Acquire);
    let is_old = now >= last.saturating_add(MAX_AGE);
    last == 0
        || is_old
            && RANKED_AT
                .compare_exchange(last, now, Relaxed, Relaxed)
                .is_ok()
}

impl Holder {
    fn of(family: &'static PageFamily) -> Self {
        let units = family.live_units();
        Self {
            family: Some(family),
            units,
            bytes: u128::from(units) * family.layout().size() as u128,
        }
    }

    /// All untyped families, at the last ranking. Their units are not known.
    fn last_untyped() -> Self {
        Self {
            family: None,
            units: 0,
            bytes: LAST_UNTYPED.load(Relaxed).into(),
        }
    }

    fn bytes_or_most(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }

    fn label(&self) -> &'static str {
        self.family.map_or(UNTYPED, PageFamily::label)
    }
}

impl Display for Holders {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().flatten().try_for_each(|held| {
            let (size, units) = (Size(held.bytes), Grouped(held.units.into()));
            let label = Shown(held.label());
            write!(f, "\n  {size} in {units} units of `{label}`")
        })
    }
}
