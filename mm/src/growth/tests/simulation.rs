//! Simulated families that behave as those of real programs do, second by second, from a seed.

use fastrand::Rng;

/// The live units of one family at a second. It is called once for each second, in order.
pub(super) type Life = Box<dyn FnMut(u32) -> u64>;

/// How long the rises of ordinary families may take at most, in seconds.
///
/// If a batch fills for longer than a verdict takes, its first rise looks like a leak until it ends. No
/// method can tell them apart, since no figure differs. Programs with such batches have to settle first.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// The longest period of batches.
    pub(super) batch: u32,
    /// The longest period of waves.
    pub(super) wave: u32,
    /// The longest time in which caches fill.
    pub(super) fill: u32,
    /// The longest time constant of loads that level off.
    pub(super) load: f64,
}

/// Returns the life of an ordinary family of one of sixteen kinds.
pub(super) fn ordinary(kind: usize, pace: Pace, rng: &mut Rng) -> Life {
    let rng = rng.fork();
    match kind % 16 {
        0 => constant(rng),
        1 => noise(rng, 1_000.0, 1.0..10.0),
        2 => noise(rng, 1e6, 1e3..4e5),
        3 => bell(rng),
        4 => batches(rng, pace.batch, 1.0..1.000_1),
        5 => batches(rng, pace.batch, 0.6..1.0),
        6 => walk(rng),
        7 => queue(rng, 1.0),
        8 => load(rng, pace.load),
        9 => steps(rng),
        10 => wave(rng, pace.wave),
        11 => cache(rng, pace.fill),
        12 => shrinking(rng),
        13 => spikes(rng),
        14 => batches(rng, 12, 0.2..1.0),
        _ => queue(rng, 0.3),
    }
}

/// Returns the life `beneath` plus a leak of `per_second` units from `start` on.
pub(super) fn leaking(mut beneath: Life, start: u32, per_second: f64) -> Life {
    Box::new(move |second| {
        let leaked = units(f64::from(second.saturating_sub(start)) * per_second);
        beneath(second) + leaked
    })
}

/// Returns the life of a family that leaks `per_second` units on average, at random moments.
pub(super) fn leaking_at_random(mut rng: Rng, per_second: f64) -> Life {
    let mut leaked = 0.0;
    Box::new(move |_| {
        leaked += poisson(&mut rng, per_second);
        units(leaked)
    })
}

/// Returns a life of `base` units, give or take `amplitude`, uniformly distributed.
pub(super) fn around(mut rng: Rng, base: f64, amplitude: f64) -> Life {
    Box::new(move |_| units(base + amplitude * (2.0 * rng.f64() - 1.0)))
}

/// Returns a life of normally distributed units with this mean and standard deviation.
pub(super) fn around_normally(mut rng: Rng, base: f64, deviation: f64) -> Life {
    Box::new(move |_| units(base + deviation * normal(&mut rng)))
}

/// Returns a life that never changes.
pub(super) fn still(live_units: u64) -> Life {
    Box::new(move |_| live_units)
}

/// Returns a life of batches that fill and are flushed. `sizes` are fractions of the largest one.
pub(super) fn batches(mut rng: Rng, longest: u32, sizes: core::ops::Range<f64>) -> Life {
    let period = scaled(&mut rng, 3.0..f64::from(longest));
    let most = scaled(&mut rng, 10.0..1e6);
    let (mut done, mut size) = (period * rng.f64(), sizes.end);
    Box::new(move |_| {
        done += 1.0;
        if done >= period * size {
            (done, size) = (0.0, between(&mut rng, sizes.clone()));
        }
        units(most * done / period)
    })
}

fn constant(mut rng: Rng) -> Life {
    still(units(scaled(&mut rng, 1.0..1e7)))
}

fn noise(mut rng: Rng, base: f64, amplitudes: core::ops::Range<f64>) -> Life {
    let amplitude = scaled(&mut rng, amplitudes);
    around(rng, base, amplitude)
}

fn bell(mut rng: Rng) -> Life {
    let deviation = scaled(&mut rng, 1.0..1e4);
    around_normally(rng, 1e5, deviation)
}

/// A random walk between two bounds.
fn walk(mut rng: Rng) -> Life {
    let (step, width) = (scaled(&mut rng, 1.0..1e3), scaled(&mut rng, 20.0..400.0));
    let mut at = width * rng.f64();
    Box::new(move |_| {
        at += 2.0 * rng.f64() - 1.0;
        at = at.clamp(0.0, width);
        units(step * at)
    })
}

/// Requests that arrive at random and stay for a while. Their number is stable from the start.
fn queue(mut rng: Rng, smallest: f64) -> Life {
    let stay = scaled(&mut rng, 5.0..600.0);
    let per_second = scaled(&mut rng, smallest..100.0);
    let mut inside = per_second * stay;
    Box::new(move |_| {
        let leave = poisson(&mut rng, inside / stay);
        inside = (inside + poisson(&mut rng, per_second) - leave).max(0.0);
        units(inside)
    })
}

/// Fills fast at first and more and more slowly later, because missing keys get rare.
fn load(mut rng: Rng, longest: f64) -> Life {
    let (constant, most) = (scaled(&mut rng, 3.0..longest), scaled(&mut rng, 100.0..1e7));
    Box::new(move |second| units(most * (1.0 - (-f64::from(second) / constant).exp())))
}

/// Keeps its size for minutes, and changes it in one step.
fn steps(mut rng: Rng) -> Life {
    let most = scaled(&mut rng, 10.0..1e6);
    let mut at = most * rng.f64();
    Box::new(move |_| {
        if rng.u32(..120) == 0 {
            at = most * rng.f64();
        }
        units(at)
    })
}

fn wave(mut rng: Rng, longest: u32) -> Life {
    let period = scaled(&mut rng, 20.0..f64::from(longest));
    let most = scaled(&mut rng, 50.0..1e5);
    let (phase, noise) = (rng.f64(), most * 0.02 * rng.f64());
    Box::new(move |second| {
        let turn = core::f64::consts::TAU * (f64::from(second) / period + phase);
        units(most * (1.5 + turn.sin()) + noise * rng.f64())
    })
}

/// Fills evenly to its limit, and from then on evicts a few units at a time.
fn cache(mut rng: Rng, longest: u32) -> Life {
    let seconds = scaled(&mut rng, 2.0..f64::from(longest));
    let limit = scaled(&mut rng, 10.0..1e6);
    Box::new(move |second| {
        let filled = (f64::from(second) / seconds).min(1.0);
        units(limit * filled - rng.f64() * 3.0)
    })
}

fn shrinking(mut rng: Rng) -> Life {
    let (base, per_second) = (scaled(&mut rng, 100.0..1e6), scaled(&mut rng, 0.1..100.0));
    Box::new(move |second| units(base - f64::from(second) * per_second + rng.f64()))
}

/// Is small, except for a few seconds at random moments.
fn spikes(mut rng: Rng) -> Life {
    let height = scaled(&mut rng, 100.0..1e6);
    let mut left = 0;
    Box::new(move |_| {
        if left == 0 && rng.u32(..60) == 0 {
            left = rng.u32(1..10);
        }
        left = u32::saturating_sub(left, 1);
        units(50.0 + if left > 0 { height } else { 0.0 })
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a negative number becomes 0"
)]
fn units(live: f64) -> u64 {
    live.max(0.0) as u64
}

fn between(rng: &mut Rng, range: core::ops::Range<f64>) -> f64 {
    range.start + (range.end - range.start) * rng.f64()
}

/// Draws a number from the log-uniform distribution: each order of magnitude has the same probability.
fn scaled(rng: &mut Rng, range: core::ops::Range<f64>) -> f64 {
    between(rng, range.start.ln()..range.end.ln()).exp()
}

/// Draws a number from the standard normal distribution. Source: Box and Muller, 1958.
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (core::f64::consts::TAU * rng.f64()).cos()
}

/// Draws a number from the Poisson distribution with this mean. Source: Knuth, "The art of computer
/// programming", 3.4.1. For a large mean it uses the normal distribution.
fn poisson(rng: &mut Rng, mean: f64) -> f64 {
    if mean > 30.0 {
        return (mean + mean.sqrt() * normal(rng)).round().max(0.0);
    }
    let (least, mut count) = ((-mean).exp(), 0.0);
    let mut product = rng.f64();
    while product > least {
        product *= rng.f64();
        count += 1.0;
    }
    count
}
