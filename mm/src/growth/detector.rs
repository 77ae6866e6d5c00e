//! Which families grow steadily.
//!
//! Times and live units are arguments of the detector, which reads neither a clock nor a family. So tests can
//! simulate hours. `mod.rs` says under *Steady growth* what a verdict needs.

use core::time::Duration;

use super::cycles::Cycles;
use super::history::{Clock, FLOORS, History, LEVELS};
use super::trend::{Point, Threshold, Trend};

/// Number of floors that a suspicion needs: half of those that a verdict needs.
const HALF: usize = FLOORS / 2;

/// The detector for all families.
#[derive(Debug)]
pub(super) struct Detector {
    clock: Clock,
    /// Length of the warm-up, during which no family is suspected or named.
    warm_up: Duration,
    /// The state of each family that was sampled, at the index of the family's number.
    families: Vec<Option<Box<Candidate>>>,
}

impl Detector {
    /// Makes a detector that suspects and names no family during the warm-up.
    pub(super) fn new(warm_up: Duration) -> Self {
        Self {
            clock: Clock::new(),
            warm_up,
            families: Vec::new(),
        }
    }

    /// Adds a sample: the number and the live units of each family. `now` is the time since the start.
    /// Returns what changed.
    ///
    /// A family that is in one sample must be in all later ones, since one clock counts the samples of all
    /// families.
    pub(super) fn observe(
        &mut self,
        now: Duration,
        sample: impl IntoIterator<Item = (usize, u64)>,
    ) -> Vec<(usize, Change)> {
        self.clock.tick(now);
        let is_warm = now >= self.warm_up;
        let changes = sample.into_iter().filter_map(|(number, live_units)| {
            let family = candidate(&mut self.families, number);
            let change = family.observe(&self.clock, live_units, is_warm)?;
            Some((number, change))
        });
        changes.collect()
    }
}

/// Returns the state of a family, and makes it for the family's first sample.
fn candidate(families: &mut Vec<Option<Box<Candidate>>>, number: usize) -> &mut Candidate {
    if families.len() <= number {
        families.resize_with(number + 1, || None);
    }
    families[number].get_or_insert_with(|| Box::new(Candidate::new()))
}

/// What the newest sample changed for a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// It became a suspect.
    Suspected,
    /// It grows steadily.
    Named(Rise),
    /// It was named earlier, and its growth was measured again.
    Measured(Rise),
    /// It was a suspect or named, and has stopped growing.
    Over,
}

/// How a family grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    /// The time at which the rise began, in seconds since the start.
    pub(super) since: f64,
    /// Units per second, over the newer half of a level's floors.
    pub(super) rate: f64,
}

/// The detector's state of one family.
#[derive(Debug)]
struct Candidate {
    history: History,
    cycles: Cycles,
    status: Status,
    /// The time at which the last verdict ended, in seconds. Earlier floors are no evidence for a new one.
    verdict_ended_at: f64,
}

/// The detector's verdict on a family.
///
/// `span` is the time in seconds that the floors covered when the family was suspected or named. The family
/// is quiet again once its last peak is longer ago than that, or the rise is given back.
#[derive(Clone, Copy, Debug)]
enum Status {
    Quiet,
    Suspected {
        span: f64,
    },
    /// `level` is the level of the floors that rise. The rise began at `since`, in seconds.
    Named {
        span: f64,
        level: usize,
        since: f64,
    },
}

impl Candidate {
    /// Makes the state of a family without history.
    fn new() -> Self {
        Self {
            history: History::new(),
            cycles: Cycles::new(),
            status: Status::Quiet,
            verdict_ended_at: 0.0,
        }
    }

    /// Adds the clock's newest sample, and judges the family if there is a new floor.
    fn observe(&mut self, clock: &Clock, live_units: u64, is_warm: bool) -> Option<Change> {
        let floor = self.history.add(clock, live_units)?;
        let is_given_back = self.cycles.add(clock.now(), floor);
        match self.status {
            Status::Quiet if !is_warm => None,
            Status::Quiet => self.name(clock).or_else(|| self.suspect(clock)),
            Status::Suspected { span } | Status::Named { span, .. }
                if is_given_back || clock.now() - self.cycles.peak_at() > span =>
            {
                Some(self.clear(clock))
            }
            Status::Suspected { .. } => self.name(clock),
            Status::Named { level, since, .. } => {
                self.measure(clock, level, since).map(Change::Measured)
            }
        }
    }

    /// Names the family if it grows steadily.
    fn name(&mut self, clock: &Clock) -> Option<Change> {
        let (level, span) = self.find_rise::<FLOORS>(clock, Threshold::NAMED)?;
        let since = self.cycles.trough_at().max(clock.now() - span);
        self.status = Status::Named { span, level, since };
        self.measure(clock, level, since).map(Change::Named)
    }

    /// Makes the family a suspect if half as many floors show growth.
    fn suspect(&mut self, clock: &Clock) -> Option<Change> {
        let (_, span) = self.find_rise::<HALF>(clock, Threshold::SUSPECTED)?;
        self.status = Status::Suspected { span };
        Some(Change::Suspected)
    }

    /// Ends a suspicion or a verdict.
    fn clear(&mut self, clock: &Clock) -> Change {
        if matches!(self.status, Status::Named { .. }) {
            self.verdict_ended_at = clock.now();
        }
        self.status = Status::Quiet;
        Change::Over
    }

    /// Finds a level with a new floor, and whose newest `COUNT` floors rise steadily. Returns the lowest such
    /// level, and the seconds that these floors span.
    fn find_rise<const COUNT: usize>(
        &self,
        clock: &Clock,
        threshold: Threshold,
    ) -> Option<(usize, f64)> {
        let least_span = threshold.longest_rises * self.cycles.longest_rise();
        (0..LEVELS)
            .take_while(|level| clock.ends_segment(*level))
            .filter_map(|level| Some((level, clock.span::<COUNT>(level)?)))
            .filter(|(_, span)| *span >= least_span && clock.now() - *span >= self.verdict_ended_at)
            .find(|(level, _)| {
                let points = self.history.points::<COUNT>(clock, *level);
                points.is_some_and(|points| self.is_steady(clock, *level, &points, threshold))
            })
    }

    /// Whether the newest floors of a level meet a threshold, and rise no slower than the floors before them.
    fn is_steady(
        &self,
        clock: &Clock,
        level: usize,
        points: &[Point],
        threshold: Threshold,
    ) -> bool {
        let trend = Trend::of(points);
        // The floors of the next level go back twice as far. Their older half covers the time before `points`.
        let before = || {
            let twice = self.history.points::<FLOORS>(clock, level + 1)?;
            Some((twice[0], twice[HALF]))
        };
        trend.meets(threshold) && before().is_none_or(|(from, to)| !trend.is_slower_than(from, to))
    }

    /// Measures how the family grows, if there is a new floor of `level`.
    fn measure(&self, clock: &Clock, level: usize, since: f64) -> Option<Rise> {
        if !clock.ends_segment(level) {
            return None;
        }
        // Without the older half, which may begin before the rise.
        let rate = Trend::of(&self.history.points::<HALF>(clock, level)?).rate;
        Some(Rise { since, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_takes_what_the_docs_say() {
        // `watch` says 2.25 KiB.
        let bytes = size_of::<Candidate>();
        assert!(bytes <= 2_304, "{bytes}");
        assert!(
            !core::mem::needs_drop::<Candidate>(),
            "it has no memory elsewhere"
        );
    }
}
