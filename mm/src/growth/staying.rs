//! Which site's sampled blocks stay, while others of it come and go.
//!
//! A site has few samples: one in 64 KiB that it allocates. So the statistics of floors, which need a rise of 32 units
//! on 24 segments, would take many minutes. But a sampled block that stays says more than a figure that rises: its site
//! allocated it, and nothing released it. So the moments are kept at which the number of live samples rose above all
//! numbers since, and judged as they are.

use super::cycles::Cycles;

/// The fewest samples that must stay, in a site of which none went for three times as long as they took to come.
const FEWEST: usize = 12;

/// If some went: how many standard deviations of a site whose samples come and go at random the others are.
const SIGNIFICANT: f64 = 6.0;

/// The fewest looks in which the samples must come: what comes at once is a load, and no leak.
const SHORTEST: u64 = 30;

/// The longest time without a new sample, as a part of all the time. Of samples that come evenly at random, one of
/// 2,000 rows has a longer one.
const LONGEST_PAUSE: f64 = 0.5;

/// The newer half of the samples may take longer than the older half, by a factor of which this is the logarithm, times
/// the square root of the number of samples. Of samples that come evenly at random, one of 40 rows takes longer. More
/// says that the growth slows down.
const SLOWER: f64 = 4.0;

/// Rises that are kept; if there are more, every other one is.
const MOST: usize = 256;

/// What a look found of one site.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Sampled blocks that are live.
    pub(super) samples: u64,
    /// The bytes and blocks that they stand for.
    pub(super) bytes: f64,
    pub(super) blocks: f64,
}

impl core::ops::AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.bytes += other.bytes;
        self.blocks += other.blocks;
    }
}

/// When the looks were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) number: u64,
    /// Seconds since the watcher started.
    pub(super) seconds: f64,
}

/// A moment since which there were always more samples than before it.
#[derive(Clone, Copy, Debug)]
struct Rise {
    look: Look,
    found: Found,
    /// The sum of the squares of what the looks until then found more or less than the look before.
    squares: f64,
}

/// How a site grows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Growing {
    /// The time at which the rise began, in seconds since the watcher started.
    pub(super) since: f64,
    pub(super) bytes_per_second: f64,
    pub(super) blocks_per_second: f64,
}

/// What changed with a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Named(Growing),
    Measured(Growing),
    Over,
}

/// The samples of one site that stay.
#[derive(Debug)]
pub(super) struct Staying {
    /// The fewest samples since the last rise was given back.
    base: u64,
    last: u64,
    /// When there were fewer samples than in the look before, in seconds.
    gone_at: f64,
    squares: f64,
    /// Each stands for so many samples more than the one before.
    step: u64,
    rises: Vec<Rise>,
    cycles: Cycles,
    /// If the site is named: how many seconds without a new sample end that.
    named: Option<f64>,
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
impl Staying {
    pub(super) fn new() -> Self {
        Self {
            base: u64::MAX,
            last: 0,
            gone_at: f64::NEG_INFINITY,
            squares: 0.0,
            step: 1,
            rises: Vec::new(),
            cycles: Cycles::new(),
            named: None,
        }
    }

    /// Adds a look. Until the program is warm, no site is named.
    pub(super) fn observe(&mut self, look: Look, found: Found, is_warm: bool) -> Option<Change> {
        let is_given_back = self.cycles.add(look.seconds, found.samples);
        let has_risen = self.account(look, found);
        match self.named {
            None if !is_warm || !has_risen => None,
            None => self.judge(look),
            Some(longest) => self.follow(look, is_given_back, longest),
        }
    }

    /// Keeps what the look says. Returns whether more samples stay.
    fn account(&mut self, look: Look, found: Found) -> bool {
        if found.samples < self.last {
            self.gone_at = look.seconds;
        }
        self.squares += (found.samples.abs_diff(self.last) as f64).powi(2);
        self.last = found.samples;
        if found.samples <= self.base {
            self.base = found.samples;
            self.rises.clear();
            self.step = 1;
        }
        let before = self.rises.len();
        let mut wanted = usize::try_from((found.samples - self.base) / self.step).unwrap_or(MOST);
        self.rises.truncate(wanted);
        while self.rises.len() < wanted {
            let squares = self.squares;
            self.rises.push(Rise {
                look,
                found,
                squares,
            });
            if self.rises.len() == MOST {
                self.thin_out();
                wanted /= 2;
            }
        }
        self.rises.len() > before
    }

    fn thin_out(&mut self) {
        let mut is_kept = true;
        self.rises.retain(|_| {
            is_kept = !is_kept;
            is_kept
        });
        self.step *= 2;
    }

    /// Names the site if the newest samples, few or many, came steadily and stay.
    fn judge(&mut self, look: Look) -> Option<Change> {
        let shortest = 2.0 * self.cycles.longest_rise();
        let all = self.rises.len();
        let counts = FEWEST..=all;
        let newest = |count: usize| &self.rises[all - count..];
        let steady = counts.map(newest).find(|rises| {
            self.is_steady(rises) && look.seconds - rises[0].look.seconds >= shortest
        })?;
        let growing = growing(steady, look)?;
        self.named = Some(look.seconds - growing.since);
        Some(Change::Named(growing))
    }

    /// Measures a site that was named, or ends that.
    fn follow(&mut self, look: Look, is_given_back: bool, longest: f64) -> Option<Change> {
        let newest = self.rises.last().map(|rise| rise.look.seconds);
        let is_quiet = newest.is_none_or(|newest| look.seconds - newest > longest);
        if is_given_back || is_quiet {
            self.named = None;
            self.base = self.last;
            self.rises.clear();
            return Some(Change::Over);
        }
        let first = self.rises.len().saturating_sub(FEWEST);
        growing(&self.rises[first..], look).map(Change::Measured)
    }

    /// Whether samples came evenly, and stayed, while few others went.
    fn is_steady(&self, rises: &[Rise]) -> bool {
        let [first, .., last] = rises else {
            return false;
        };
        let span = last.look.seconds - first.look.seconds;
        let is_enough = self.gone_at < first.look.seconds - 2.0 * span
            || self.is_significant(first, last, rises.len());
        let pauses = rises
            .windows(2)
            .map(|two| two[1].look.seconds - two[0].look.seconds);
        let middle = rises[rises.len() / 2].look.seconds;
        let slowest = (SLOWER / (rises.len() as f64).sqrt()).exp();
        let before = self.rises.iter().filter(|rise| {
            let earlier = first.look.seconds - rise.look.seconds;
            earlier > 0.0 && earlier <= span
        });
        is_enough
            && last.look.number - first.look.number >= SHORTEST
            && pauses.fold(0.0, f64::max) <= LONGEST_PAUSE * span
            && last.look.seconds - middle <= slowest * (middle - first.look.seconds)
            && before.count() as f64 <= slowest * rises.len() as f64
    }

    /// Whether many more samples came than went. A look does not see those that come and go between it and the one
    /// before, but if samples come and go at random, the variance between looks is the number of both.
    fn is_significant(&self, first: &Rise, last: &Rise, count: usize) -> bool {
        let stay = count as f64 * self.step as f64;
        let looks = (last.look.number - first.look.number) as f64;
        let variance = last.squares - first.squares - stay * stay / looks;
        stay >= SIGNIFICANT * variance.max(stay).sqrt()
    }
}

fn growing(rises: &[Rise], look: Look) -> Option<Growing> {
    let [first, .., last] = rises else {
        return None;
    };
    let seconds = look.seconds - first.look.seconds;
    (seconds > 0.0).then(|| Growing {
        since: first.look.seconds,
        bytes_per_second: (last.found.bytes - first.found.bytes) / seconds,
        blocks_per_second: (last.found.blocks - first.found.blocks) / seconds,
    })
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
mod tests {
    use super::*;

    /// Bytes that a sample stands for.
    const SAMPLE: f64 = 65_536.0;

    /// Returns the second at which a site is named whose live samples are such, a look a second.
    fn named(mut live: impl FnMut(u64) -> u64, seconds: u64) -> Option<(u64, Growing)> {
        let mut site = Staying::new();
        (1..=seconds).find_map(|number| {
            let samples = live(number);
            let found = Found {
                samples,
                bytes: samples as f64 * SAMPLE,
                blocks: samples as f64,
            };
            let look = Look {
                number,
                seconds: number as f64,
            };
            match site.observe(look, found, true) {
                Some(Change::Named(growing)) => Some((number, growing)),
                _ => None,
            }
        })
    }

    /// A number that is Poisson distributed.
    fn poisson(rng: &mut fastrand::Rng, mean: f64) -> u64 {
        let mut product = rng.f64();
        let mut number = 0;
        while product > (-mean).exp() {
            product *= rng.f64();
            number += 1;
        }
        number
    }

    /// The seconds after which leaks of `rate` samples a second are named, sorted; those that are not count as `end`.
    fn leaks(rate: f64, end: u64) -> Vec<u64> {
        let one = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut live = 0;
            let life = |_| {
                live += poisson(&mut rng, rate);
                live
            };
            named(life, end).map_or(end, |(second, growing)| {
                let error = growing.bytes_per_second / (rate * SAMPLE);
                assert!((0.3..3.0).contains(&error), "seed {seed}: {error}");
                second
            })
        };
        let mut seconds: Vec<_> = (0..400).map(one).collect();
        seconds.sort_unstable();
        seconds
    }

    #[test]
    fn a_leak_of_20_kib_a_second_is_named_within_a_minute() {
        let seconds = leaks(20.0 / 64.0, 300);
        let in_time = seconds.iter().filter(|seconds| **seconds <= 60).count();
        println!(
            "{in_time} of 400 within a minute, all within {:?}",
            seconds.last()
        );
        assert!(in_time >= 360, "{in_time}");
        assert!(seconds[399] < 150, "{}", seconds[399]);
    }

    #[test]
    fn a_slow_leak_is_named_after_sixteen_samples() {
        // 1 KiB a second: a sample in 64 seconds.
        let seconds = leaks(1.0 / 64.0, 10_000);
        let mean = seconds.iter().sum::<u64>() as f64 / 400.0;
        let samples = mean / 64.0;
        println!("{samples} samples on average");
        assert!(samples < 16.0, "{samples}");
    }

    #[test]
    fn what_comes_and_goes_is_not_named() {
        for seed in 0..300 {
            let mut rng = fastrand::Rng::with_seed(seed);
            // Blocks that live for some time each, whose number so is Poisson distributed.
            let mean = [2.0, 10.0, 40.0][seed as usize % 3];
            let life_time = [3.0, 60.0, 600.0][seed as usize / 3 % 3];
            let mut live = mean as u64;
            let life = |_| {
                let leaving = live as f64 / life_time;
                live += poisson(&mut rng, mean / life_time);
                live = live.saturating_sub(poisson(&mut rng, leaving));
                live
            };
            assert_eq!(named(life, 10_000), None, "seed {seed}");
        }
    }

    #[test]
    fn loads_steps_and_batches_are_not_named() {
        assert_eq!(named(|second| (second * 20).min(400), 3_000), None);
        assert_eq!(named(|second| (second / 500 * 3).min(10), 5_000), None);
        let levels_off = |second| (200.0 * (1.0 - (-(second as f64) / 12.0).exp())) as u64;
        assert_eq!(named(levels_off, 3_000), None);
        assert_eq!(named(|second| second % 25, 3_000), None);
        // It learns from the first batch that fills slowly, but names that one.
        let batch = |second: u64| second % 25 + if second > 100 { second % 50 / 2 } else { 0 };
        assert_eq!(named(batch, 3_000), None);
    }

    #[test]
    fn a_leak_beside_blocks_that_come_and_go_is_named() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut others, mut leaked) = (20_u64, 0);
        let life = |_| {
            let leaving = others as f64 / 5.0;
            others += poisson(&mut rng, 4.0);
            others = others.saturating_sub(poisson(&mut rng, leaving));
            leaked += poisson(&mut rng, 0.3);
            others + leaked
        };
        let (second, _) = named(life, 3_600 * 4).expect("named");
        assert!(second > 60, "{second}");
    }

    #[test]
    fn a_site_that_is_named_is_forgotten_once_it_stops() {
        let mut site = Staying::new();
        let mut changes = Vec::new();
        for number in 1..400_u64 {
            let samples = number.min(60);
            let found = Found {
                samples,
                bytes: samples as f64,
                blocks: samples as f64,
            };
            let look = Look {
                number,
                seconds: number as f64,
            };
            match site.observe(look, found, true) {
                Some(Change::Measured(growing)) => {
                    assert!(growing.bytes_per_second <= 1.1, "{growing:?}");
                }
                Some(change) => changes.push((number, change)),
                None => {}
            }
        }
        assert!(
            matches!(changes[..], [(_, Change::Named(_)), (_, Change::Over)]),
            "{changes:?}"
        );
        assert!(changes[0].0 < 40 && changes[1].0 < 120, "{changes:?}");
    }

    #[test]
    fn rises_are_bounded() {
        let mut site = Staying::new();
        for number in 1..100_000_u64 {
            let look = Look {
                number,
                seconds: number as f64,
            };
            let found = Found {
                samples: number,
                ..Found::default()
            };
            site.observe(look, found, false);
        }
        assert!(site.rises.len() < MOST && site.rises.len() >= MOST / 4);
        assert!(
            site.rises
                .is_sorted_by(|one, other| one.look.number < other.look.number)
        );
    }
}
