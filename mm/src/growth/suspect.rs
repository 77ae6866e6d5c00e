//! The verdict on one family.

use super::clock::Clock;
use super::history::History;
use super::rhythm::Rhythm;
use super::trend::{Demand, Trend};
use super::{KEPT, LEVELS};

/// Number of floors that a suspicion needs.
const HALF: usize = KEPT / 2;

/// The floors have to span this many times the longest rise that was given back. Half of the floors
/// span half of that, so no shorter rise leads to a verdict.
const LONGER: f64 = 2.0;
const LONGER_IN_HALF: f64 = LONGER / 2.0;

/// All that is known of a family.
#[derive(Debug)]
pub(super) struct Suspect {
    history: History,
    rhythm: Option<Rhythm>,
    standing: Standing,
    /// When the last named rise ended, in seconds. Earlier floors are not judged again.
    over: f64,
}

/// The state of a family. A suspicion or a verdict ends when the family has not grown for as long as
/// the floors span that led to it, in seconds.
#[derive(Clone, Copy, Debug)]
enum Standing {
    Quiet,
    Suspected { span: f64 },
    Named { span: f64, level: usize, since: f64 },
}

/// What the newest sample changed for a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// It may grow.
    Suspected,
    /// It grows steadily.
    Named(Rise),
    /// It is named already, and still grows.
    Measured(Rise),
    /// It has stopped growing.
    Over,
}

/// How a family grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    /// When the rise began, in seconds since the start.
    pub(super) since: f64,
    /// Units per second over the newer half of the floors that were judged.
    pub(super) rate: f64,
}

impl Suspect {
    /// Makes a family without history.
    pub(super) fn new() -> Self {
        Self {
            history: History::new(),
            rhythm: None,
            standing: Standing::Quiet,
            over: 0.0,
        }
    }

    /// Adds the clock's newest sample.
    pub(super) fn add(&mut self, clock: &Clock, live_units: u64) {
        self.history.add(clock, live_units);
    }

    /// Judges after a sample; `may_name` is whether the program has settled.
    pub(super) fn judge(&mut self, clock: &Clock, may_name: bool) -> Option<Change> {
        if !clock.ends_segment(0) {
            return None;
        }
        let is_over = self.follow(clock)?;
        match self.standing {
            Standing::Quiet if !may_name => None,
            Standing::Quiet => self.name(clock).or_else(|| self.suspect(clock)),
            _ if is_over => Some(self.acquit(clock)),
            Standing::Suspected { .. } => self.name(clock),
            Standing::Named { level, since, .. } => {
                self.measure(clock, level, since).map(Change::Measured)
            }
        }
    }

    /// Follows the newest floor; returns whether a rise that was suspected or named is over.
    fn follow(&mut self, clock: &Clock) -> Option<bool> {
        let (now, floor) = (clock.now(), self.history.floor()?);
        let rhythm = self.rhythm.get_or_insert_with(|| Rhythm::new(now, floor));
        let is_given_back = rhythm.add(now, floor);
        let stands_since = now - rhythm.highest_at();
        Some(match self.standing {
            Standing::Quiet => false,
            Standing::Suspected { span } | Standing::Named { span, .. } => {
                is_given_back || stands_since > span
            }
        })
    }

    fn name(&mut self, clock: &Clock) -> Option<Change> {
        let (level, span) = self.find::<KEPT>(clock, LONGER, Demand::NAMED)?;
        let since = self.rhythm?.since().max(clock.now() - span);
        self.standing = Standing::Named { span, level, since };
        self.measure(clock, level, since).map(Change::Named)
    }

    fn acquit(&mut self, clock: &Clock) -> Change {
        if matches!(self.standing, Standing::Named { .. }) {
            self.over = clock.now();
        }
        self.standing = Standing::Quiet;
        Change::Over
    }

    fn suspect(&mut self, clock: &Clock) -> Option<Change> {
        let (_, span) = self.find::<HALF>(clock, LONGER_IN_HALF, Demand::SUSPECTED)?;
        self.standing = Standing::Suspected { span };
        Some(Change::Suspected)
    }

    /// The lowest level with a new floor, the newest `COUNT` of which rise as is demanded, and
    /// how many seconds they span.
    fn find<const COUNT: usize>(
        &self,
        clock: &Clock,
        longer: f64,
        demand: Demand,
    ) -> Option<(usize, f64)> {
        let least = longer * self.rhythm?.longest();
        (0..LEVELS)
            .take_while(|level| clock.ends_segment(*level))
            .filter_map(|level| Some((level, clock.span::<COUNT>(level)?)))
            .filter(|(_, span)| *span >= least && clock.now() - *span >= self.over)
            .find(|(level, _)| {
                let points = self.history.points::<COUNT>(clock, *level);
                points.is_some_and(|points| {
                    self.is_steady(clock, *level, &Trend::of(&points), demand)
                })
            })
    }

    /// Whether a trend on a level meets a demand, and is no slower than what came before.
    fn is_steady(&self, clock: &Clock, level: usize, trend: &Trend, demand: Demand) -> bool {
        let before = || {
            let twice = self.history.points::<KEPT>(clock, level + 1)?;
            Some((twice[0], twice[HALF]))
        };
        trend.meets(demand) && before().is_none_or(|(from, to)| !trend.is_slower_than(from, to))
    }

    /// How the family grows, when its level has a new floor.
    fn measure(&self, clock: &Clock, level: usize, since: f64) -> Option<Rise> {
        if !clock.ends_segment(level) {
            return None;
        }
        // From the newer half only: the older half may lie partly before the rise.
        let rate = Trend::of(&self.history.points::<HALF>(clock, level)?).rate;
        Some(Rise { since, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_takes_what_the_docs_say() {
        let bytes = size_of::<Suspect>();
        assert!(bytes <= super::super::BYTES_PER_FAMILY, "{bytes}");
        assert!(!core::mem::needs_drop::<Suspect>(), "and nothing elsewhere");
    }
}
