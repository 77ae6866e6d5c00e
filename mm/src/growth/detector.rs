//! Which families grow steadily.
//!
//! The detector sees samples only, and neither the real clock nor the families, so that tests can simulate
//! hours. `mod.rs` says under *Steady growth* what a verdict needs.

use core::time::Duration;

use super::cycles::Cycles;
use super::history::{Clock, FLOORS, History, LEVELS};
use super::trend::{Point, Threshold, Trend};

/// Number of floors that a suspicion needs.
const HALF: usize = FLOORS / 2;

/// The detector for all families.
#[derive(Debug)]
pub(super) struct Detector {
    clock: Clock,
    /// Time since the start before which it suspects and names no family.
    settled: Duration,
    /// By number of the family.
    families: Vec<Option<Box<Candidate>>>,
}

impl Detector {
    /// Makes a detector that suspects and names no family before `settled`.
    pub(super) fn new(settled: Duration) -> Self {
        Self {
            clock: Clock::new(),
            settled,
            families: Vec::new(),
        }
    }

    /// Adds a sample: the number and the live units of each family. `now` is the time since the start.
    /// Returns what changed.
    ///
    /// A family that was in one sample has to be in all later ones.
    pub(super) fn observe(
        &mut self,
        now: Duration,
        sample: impl IntoIterator<Item = (usize, u64)>,
    ) -> Vec<(usize, Change)> {
        self.clock.tick(now);
        let is_settled = now >= self.settled;
        let changes = sample.into_iter().filter_map(|(number, live_units)| {
            let family = candidate(&mut self.families, number);
            let change = family.observe(&self.clock, live_units, is_settled)?;
            Some((number, change))
        });
        changes.collect()
    }
}

/// Returns the state of a family, which is new if the family was in no sample before.
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
    /// It was named before and still grows, now at this rate.
    Measured(Rise),
    /// It was a suspect or named, and has stopped growing.
    Over,
}

/// How a family grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rise {
    /// The time at which the rise began, in seconds since the start.
    pub(super) since: f64,
    /// Units per second over the newer half of the floors that were judged.
    pub(super) rate: f64,
}

/// The detector's state of one family.
#[derive(Debug)]
struct Candidate {
    history: History,
    cycles: Cycles,
    status: Status,
    /// The time at which the last named rise ended, in seconds. Earlier floors are not judged again.
    over_at: f64,
}

/// What the detector thinks of a family.
///
/// `span` is the time that the floors covered when the family was suspected or named, in seconds. If the
/// family does not grow for longer than that, it is quiet again.
#[derive(Clone, Copy, Debug)]
enum Status {
    Quiet,
    Suspected {
        span: f64,
    },
    /// `level` is that of the floors, and the rise began at `since`, in seconds.
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
            over_at: 0.0,
        }
    }

    /// Adds the clock's newest sample, and judges the family if there is a new floor.
    fn observe(&mut self, clock: &Clock, live_units: u64, is_settled: bool) -> Option<Change> {
        let floor = self.history.add(clock, live_units)?;
        let is_given_back = self.cycles.add(clock.now(), floor);
        match self.status {
            Status::Quiet if !is_settled => None,
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

    /// Makes the family a suspect if there is half of the evidence.
    fn suspect(&mut self, clock: &Clock) -> Option<Change> {
        let (_, span) = self.find_rise::<HALF>(clock, Threshold::SUSPECTED)?;
        self.status = Status::Suspected { span };
        Some(Change::Suspected)
    }

    /// Ends a suspicion or a verdict.
    fn clear(&mut self, clock: &Clock) -> Change {
        if matches!(self.status, Status::Named { .. }) {
            self.over_at = clock.now();
        }
        self.status = Status::Quiet;
        Change::Over
    }

    /// Returns the lowest level with a new floor whose newest `COUNT` floors rise steadily, and the seconds
    /// that they span.
    fn find_rise<const COUNT: usize>(
        &self,
        clock: &Clock,
        threshold: Threshold,
    ) -> Option<(usize, f64)> {
        let least_span = threshold.longest_rises * self.cycles.longest_rise();
        (0..LEVELS)
            .take_while(|level| clock.ends_segment(*level))
            .filter_map(|level| Some((level, clock.span::<COUNT>(level)?)))
            .filter(|(_, span)| *span >= least_span && clock.now() - *span >= self.over_at)
            .find(|(level, _)| {
                let points = self.history.points::<COUNT>(clock, *level);
                points.is_some_and(|points| self.is_steady(clock, *level, &points, threshold))
            })
    }

    /// Whether floors of a level meet a threshold, and rise no slower than the floors before them.
    fn is_steady(
        &self,
        clock: &Clock,
        level: usize,
        points: &[Point],
        threshold: Threshold,
    ) -> bool {
        let trend = Trend::of(points);
        // The next level goes back twice as far. The older half of its floors is the time before `points`.
        let before = || {
            let twice = self.history.points::<FLOORS>(clock, level + 1)?;
            Some((twice[0], twice[HALF]))
        };
        trend.meets(threshold) && before().is_none_or(|(from, to)| !trend.is_slower_than(from, to))
    }

    /// Returns how the family grows, if its level has a new floor.
    fn measure(&self, clock: &Clock, level: usize, since: f64) -> Option<Rise> {
        if !clock.ends_segment(level) {
            return None;
        }
        // The older half may lie partly before the rise.
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
            "and nothing elsewhere"
        );
    }
}
