//! The longest rise that a family gave back.

/// The smallest rise, in units, that could be mistaken for growth. Smaller ones are ignored.
const NOTABLE: u64 = 16;

/// Follows the floors of a family from a trough to a peak and back.
///
/// A rise begins at the lowest floor and lasts to the highest. It is *given back* when a later floor is at
/// or below the middle between the two. A family that gave back a rise of some length may do so again, so
/// only a clearly longer rise is evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cycles {
    trough: Turn,
    peak: Turn,
    longest: f64,
}

/// A floor at which the direction may turn, and its time in seconds.
#[derive(Clone, Copy, Debug)]
struct Turn {
    seconds: f64,
    units: u64,
}

impl Cycles {
    /// Makes a follower that has seen no floor.
    pub(super) fn new() -> Self {
        // The first floor is not above this, and replaces it.
        let start = Turn {
            seconds: 0.0,
            units: u64::MAX,
        };
        Self {
            trough: start,
            peak: start,
            longest: 0.0,
        }
    }

    /// Adds a floor. Returns whether a notable rise is given back with it.
    pub(super) fn add(&mut self, seconds: f64, units: u64) -> bool {
        let here = Turn { seconds, units };
        let rise = self.peak.units - self.trough.units;
        let is_given_back = rise >= NOTABLE && units <= self.trough.units + rise / 2;
        if is_given_back {
            self.longest = self.longest.max(self.peak.seconds - self.trough.seconds);
        }
        if is_given_back || units <= self.trough.units {
            (self.trough, self.peak) = (here, here);
        } else if units > self.peak.units {
            self.peak = here;
        }
        is_given_back
    }

    /// Returns the time of the last trough, in seconds: the current rise began there.
    pub(super) fn trough_at(&self) -> f64 {
        self.trough.seconds
    }

    /// Returns the time of the peak since then, in seconds.
    pub(super) fn peak_at(&self) -> f64 {
        self.peak.seconds
    }

    /// Returns the length of the longest rise that was given back, in seconds; 0 if there was none.
    pub(super) fn longest_rise(&self) -> f64 {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds floors, one a second. Returns the times at which rises were given back.
    fn add(cycles: &mut Cycles, floors: impl IntoIterator<Item = u64>) -> Vec<u32> {
        let gives_back = |&(second, floor): &(u32, u64)| cycles.add(f64::from(second), floor);
        let given_back = (0..).zip(floors).filter(gives_back);
        given_back.map(|(second, _)| second).collect()
    }

    #[track_caller]
    fn close(seconds: f64, expected: f64) {
        assert!((seconds - expected).abs() < 1e-9, "{seconds}");
    }

    #[test]
    fn learns_how_long_a_batch_takes() {
        let mut cycles = Cycles::new();
        let batch = (0..40).chain(0..60).chain(0..10);
        assert_eq!(add(&mut cycles, batch), [40, 100]);
        close(cycles.longest_rise(), 59.0);
        close(cycles.trough_at(), 100.0);
        close(cycles.peak_at(), 109.0);
    }

    #[test]
    fn learns_nothing_from_ripples_and_levels() {
        let mut cycles = Cycles::new();
        let ripples = (0..500).map(|second| 5 + second / 100 % 2 * 10);
        assert!(add(&mut cycles, ripples).is_empty());
        close(cycles.longest_rise(), 0.0);
    }

    #[test]
    fn a_step_is_a_short_rise_however_long_it_stays() {
        let mut cycles = Cycles::new();
        let step = [5, 5, 900].into_iter().chain([900; 300]).chain([5]);
        assert_eq!(add(&mut cycles, step), [303]);
        close(cycles.longest_rise(), 1.0);
    }
}
