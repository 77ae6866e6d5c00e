//! How long those rises of a family take that it gives back.

/// The smallest rise, in units, that could be mistaken for growth; smaller ones are ignored.
const NOTABLE: u64 = 16;

/// Follows a family from low to high and back.
///
/// A rise begins at the lowest floor, lasts to the highest, and is *given back* when a floor lies
/// at or below the middle of the two. A family that gave back a rise of some length may do so again, so
/// only a clearly longer rise is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    low: Mark,
    high: Mark,
    longest: f64,
}

/// A floor, and when it was, in seconds.
#[derive(Clone, Copy, Debug)]
struct Mark {
    seconds: f64,
    units: u64,
}

impl Rhythm {
    /// Starts at a floor.
    pub(super) fn new(seconds: f64, units: u64) -> Self {
        let start = Mark { seconds, units };
        Self {
            low: start,
            high: start,
            longest: 0.0,
        }
    }

    /// Adds a floor; returns whether it gives a notable rise back.
    pub(super) fn add(&mut self, seconds: f64, units: u64) -> bool {
        let here = Mark { seconds, units };
        let rise = self.high.units - self.low.units;
        let is_given_back = rise >= NOTABLE && units <= self.low.units + rise / 2;
        if is_given_back {
            self.longest = self.longest.max(self.high.seconds - self.low.seconds);
        }
        if is_given_back || units <= self.low.units {
            (self.low, self.high) = (here, here);
        } else if units > self.high.units {
            self.high = here;
        }
        is_given_back
    }

    /// When the current rise, not yet given back, began, in seconds.
    pub(super) fn since(&self) -> f64 {
        self.low.seconds
    }

    /// When it was highest, in seconds.
    pub(super) fn highest_at(&self) -> f64 {
        self.high.seconds
    }

    /// How long the longest rise that was given back took, in seconds.
    pub(super) fn longest(&self) -> f64 {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds floors, one a second; the times at which rises were given back.
    fn add(rhythm: &mut Rhythm, from: u32, floors: impl IntoIterator<Item = u64>) -> Vec<u32> {
        let gives_back = |&(second, floor): &(u32, u64)| rhythm.add(f64::from(second), floor);
        let given_back = (from..).zip(floors).filter(gives_back);
        given_back.map(|(second, _)| second).collect()
    }

    #[track_caller]
    fn close(seconds: f64, expected: f64) {
        assert!((seconds - expected).abs() < 1e-9, "{seconds}");
    }

    #[test]
    fn learns_how_long_a_batch_takes() {
        let mut rhythm = Rhythm::new(0.0, 0);
        let batch = (0..40).chain(0..60).chain(0..10);
        assert_eq!(add(&mut rhythm, 0, batch), [40, 100]);
        close(rhythm.longest(), 59.0);
        close(rhythm.since(), 100.0);
        close(rhythm.highest_at(), 109.0);
    }

    #[test]
    fn learns_nothing_from_ripples_and_levels() {
        let mut rhythm = Rhythm::new(0.0, 5);
        let ripples = (0..500).map(|second| 5 + second / 100 % 2 * 10);
        assert!(add(&mut rhythm, 0, ripples).is_empty());
        close(rhythm.longest(), 0.0);
    }

    #[test]
    fn a_step_is_a_short_rise_however_long_it_stays() {
        let mut rhythm = Rhythm::new(0.0, 5);
        let step = [5, 5, 900].into_iter().chain([900; 300]).chain([5]);
        assert_eq!(add(&mut rhythm, 0, step), [303]);
        close(rhythm.longest(), 1.0);
    }
}
