//! The statistics of a row of floors: how fast it rises, and how steadily.

/// A rate below this fraction of an earlier one has slowed down.
const SLOWER: f64 = 0.9;

/// A floor, and the time at which its segment ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    seconds: f64,
    units: f64,
}

impl Point {
    /// Makes a point from a time in seconds and a floor in units.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a trend needs fewer digits than f64 has"
    )]
    pub(super) fn new(seconds: f64, units: u64) -> Self {
        Self {
            seconds,
            units: units as f64,
        }
    }

    /// Returns the units per second from here to a later point.
    fn rate_to(self, later: Self) -> f64 {
        (later.units - self.units) / (later.seconds - self.seconds)
    }
}

/// How a row of floors rises. The model is a random walk that may have a drift.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trend {
    /// Units per second from the first floor to the last.
    pub(super) rate: f64,
    /// Units from the first floor to the last.
    rise: f64,
    /// Student's t of the drift: its ratio to its standard error.
    t: f64,
    /// The newer half is clearly slower than the older half.
    slows_down: bool,
}

impl Trend {
    /// Measures at least three points, the earliest first.
    pub(super) fn of(points: &[Point]) -> Self {
        let end = points.len() - 1;
        let [first, middle, last] = [0, end / 2, end].map(|nth| points[nth]);
        Self {
            rate: first.rate_to(last),
            rise: last.units - first.units,
            t: student_t(points.windows(2).map(|pair| pair[0].rate_to(pair[1]))),
            slows_down: middle.rate_to(last) < SLOWER * first.rate_to(middle),
        }
    }

    /// Whether the rise is clearly slower than that from one earlier point to another.
    pub(super) fn is_slower_than(&self, from: Point, to: Point) -> bool {
        self.rate < SLOWER * from.rate_to(to)
    }

    /// Whether the rise is large and significant enough, and does not slow down.
    pub(super) fn meets(&self, threshold: Threshold) -> bool {
        // If two samples have the same time, t is NaN, and the comparison fails.
        self.rise >= threshold.rise && self.t >= threshold.t && !self.slows_down
    }
}

/// Returns Student's t of the mean of some rates: its ratio to its standard error.
fn student_t(rates: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = rates.clone().map(|_| 1.0).sum::<f64>();
    let mean = rates.clone().sum::<f64>() / count;
    let squares: f64 = rates.map(|rate| (rate - mean).powi(2)).sum();
    mean / (squares / (count - 1.0) / count).sqrt()
}

/// The evidence that a suspicion or a verdict needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threshold {
    /// The least Student's t.
    t: f64,
    /// The least rise, in units. Student's t is for numbers that vary smoothly. A rise of few units is a row
    /// of single steps, and may be chance: 32 steps up or down are all up once in 2^32 times.
    rise: f64,
    /// The floors have to span this many times the longest rise that the family gave back.
    pub(super) longest_rises: f64,
}

impl Threshold {
    /// Names a family. By chance 23 rates without a drift reach this t once in 1.6e9 times.
    pub(super) const NAMED: Self = Self {
        t: 10.0,
        rise: 32.0,
        longest_rises: 2.0,
    };

    /// Makes a family a suspect: about half as much evidence, from half as many floors. These span half as
    /// long, and so have to span half as many of the longest rises.
    pub(super) const SUSPECTED: Self = Self {
        t: 5.0,
        rise: 12.0,
        longest_rises: 1.0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(units: impl Fn(u32) -> u64) -> Trend {
        let points: Vec<_> = (0..24)
            .map(|nth| Point::new(2.0 * f64::from(nth), units(nth)))
            .collect();
        Trend::of(&points)
    }

    fn is_named(units: impl Fn(u32) -> u64) -> bool {
        trend(units).meets(Threshold::NAMED)
    }

    #[test]
    fn a_steady_rise_is_growth() {
        assert!(is_named(|nth| u64::from(2 * nth)));
        assert!(is_named(|nth| 1_000_000 + u64::from(4 * nth + nth % 2)));
        let rate = trend(|nth| u64::from(2 * nth)).rate;
        assert!((rate - 1.0).abs() < 1e-9, "{rate}");
    }

    #[test]
    fn no_other_row_is_growth() {
        assert!(!is_named(|_| 7));
        assert!(!is_named(|nth| 1_000 - u64::from(2 * nth)));
        assert!(!is_named(u64::from), "too small a rise");
        assert!(!is_named(|nth| if nth < 12 { 0 } else { 10_000 }), "a step");
        assert!(!is_named(|nth| 500 + u64::from(2 * nth + nth % 3 * 30)));
        assert!(!is_named(|nth| 10_000 - 10_000 / u64::from(nth + 1)));
    }

    #[test]
    fn a_rise_that_has_ended_is_no_growth() {
        assert!(is_named(|nth| 100 * u64::from(nth.min(22))));
        assert!(!is_named(|nth| 100 * u64::from(nth.min(21))));
    }

    #[test]
    fn a_rise_that_slows_down_is_no_growth() {
        // It fills up with a time constant in seconds. If that is long, no difference shows.
        let filling = |constant: f64| {
            move |nth: u32| {
                let left = (-2.0 * f64::from(nth) / constant).exp();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let units = (100_000.0 * (1.0 - left)) as u64;
                units
            }
        };
        assert!(!is_named(filling(60.0)));
        assert!(!is_named(filling(200.0)));
        assert!(is_named(filling(10_000.0)));
    }
}
