//! The detector with simulated families and a simulated clock.

mod simulation;

use core::time::Duration;
use std::collections::BTreeMap;

use fastrand::Rng;

use self::simulation::{Life, Pace};
use super::detector::{Change, Detector};

/// Number of families, and the number of the one that leaks.
const FAMILIES: usize = 1_000;
const LEAK: usize = FAMILIES / 2;

/// A leak of a unit a second has to be named within this many seconds.
const MINUTE: u32 = 60;

/// For programs that the detector judges from their first second on.
const AT_ONCE: Pace = Pace {
    batch: 40,
    wave: 80,
    fill: 40,
    load: 60.0,
};

/// For programs that settle first, for [`SETTLE`] seconds.
const SETTLED: Pace = Pace {
    batch: 100,
    wave: 300,
    fill: 500,
    load: 200.0,
};
const SETTLE: u32 = 600;

/// Runs families from 0 to `end` seconds. Returns what changed, by second and family.
fn changes(mut lives: Vec<Life>, settled: u32, end: u32) -> Vec<(u32, usize, Change)> {
    let mut detector = Detector::new(seconds(settled));
    let changes = (0..end).flat_map(|second| {
        let sample = lives.iter_mut().map(|life| life(second)).enumerate();
        let changes = detector.observe(seconds(second), sample).into_iter();
        changes.map(move |(number, change)| (second, number, change))
    });
    changes.collect()
}

/// Returns the second at which each family was named first, by number.
fn named(lives: Vec<Life>, settled: u32, end: u32) -> BTreeMap<usize, u32> {
    let changes = changes(lives, settled, end).into_iter();
    let verdicts = changes.filter(|(_, _, change)| matches!(change, Change::Named(_)));
    // In reverse order the first verdict on each family comes last, and replaces the others.
    verdicts
        .rev()
        .map(|(second, number, _)| (number, second))
        .collect()
}

/// Returns the second at which a family is named that is the only one.
fn alone(life: Life, end: u32) -> Option<u32> {
    named(vec![life], 0, end).get(&0).copied()
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// Runs a leak that begins at `start` among ordinary families, for more than half an hour. Checks that
/// only the leak is named, and within a minute.
fn check_thousand(seed: u64, pace: Pace, settled: u32, start: u32) {
    let mut rng = Rng::with_seed(seed);
    let mut lives: Vec<_> = (0..FAMILIES)
        .map(|number| simulation::ordinary(number, pace, &mut rng))
        .collect();
    lives[LEAK] = simulation::leaking(simulation::still(rng.u64(..100_000)), start, 1.0);
    let named = named(lives, settled, settled + 2_400);
    assert!(named.keys().eq([&LEAK]), "seed {seed}: {named:?}");
    let after = named[&LEAK] - start;
    assert!(after <= MINUTE, "seed {seed}: named after {after} s");
}

#[test]
fn one_leak_of_a_thousand_is_named_from_the_start() {
    check_thousand(1, AT_ONCE, 0, 0);
}

#[test]
fn one_leak_of_a_thousand_is_named_once_the_program_settled() {
    check_thousand(1, SETTLED, SETTLE, SETTLE + 137);
}

#[test]
#[ignore = "takes minutes, for 100 seeds"]
fn one_leak_of_a_thousand_is_named_whatever_the_others_do() {
    for seed in 0..100 {
        let later = u32::try_from(seed).expect("small") % 29 * 31;
        check_thousand(seed, AT_ONCE, 0, later);
        check_thousand(seed, SETTLED, SETTLE, SETTLE + later);
    }
}

/// Checks that a leak is named within this range of seconds, for five seeds.
#[track_caller]
fn check_alone(within: core::ops::RangeInclusive<u32>, life: impl Fn(Rng) -> Life) {
    for seed in 0..5 {
        let after = alone(life(Rng::with_seed(seed)), 2 * within.end());
        let is_in_time = after.is_some_and(|after| within.contains(&after));
        assert!(is_in_time, "seed {seed}: after {after:?} s");
    }
}

#[test]
fn noise_delays_as_the_docs_say() {
    let noisy = |amplitude| {
        move |rng| simulation::leaking(simulation::around(rng, 10_000.0, amplitude), 0, 1.0)
    };
    check_alone(40..=55, noisy(1.0));
    check_alone(90..=240, noisy(5.0));
    check_alone(180..=480, noisy(20.0));
    check_alone(720..=1_800, noisy(200.0));
    let bell = |deviation| {
        move |rng| {
            simulation::leaking(
                simulation::around_normally(rng, 10_000.0, deviation),
                0,
                1.0,
            )
        }
    };
    check_alone(720..=1_800, bell(20.0));
    check_alone(3_600..=14_400, bell(200.0));
}

#[test]
fn slow_and_random_leaks_are_named_later() {
    check_alone(360..=420, |_| {
        simulation::leaking(simulation::still(5), 0, 0.1)
    });
    check_alone(60..=240, |rng| simulation::leaking_at_random(rng, 1.0));
    check_alone(600..=3_600, |rng| simulation::leaking_at_random(rng, 0.1));
    check_alone(40..=60, |rng| simulation::leaking_at_random(rng, 100.0));
    check_alone(40..=60, |_| {
        simulation::leaking(simulation::still(1 << 40), 0, 1e6)
    });
}

#[test]
fn leaks_of_many_units_at_a_time_are_named() {
    // A block of 50 units every 4 seconds, and one of 1,000 every half minute.
    let in_blocks = |units: u64, every: u32| -> Life {
        Box::new(move |second| 7 + units * u64::from(second / every))
    };
    check_alone(40..=200, |_| in_blocks(50, 4));
    check_alone(300..=1_600, |_| in_blocks(1_000, 30));
}

#[test]
fn a_leak_beneath_batches_is_named() {
    let life = |rng| simulation::leaking(simulation::batches(rng, 50, 0.9..1.0), 300, 1.0);
    check_alone(340..=14_400, life);
}

#[test]
fn a_family_is_suspected_first_and_named_once_until_it_stops() {
    // The family grows, stays level, gives back a part, and grows again.
    let life: Life = Box::new(|second| match second {
        0..300 => 1_000,
        300..600 => 1_000 + 2 * u64::from(second - 300),
        600..1_000 => 1_600,
        1_000.. => 1_200 + 3 * u64::from(second - 1_000),
    });
    let changes = changes(vec![life], 0, 2_400);
    let times = |is_it: fn(&Change) -> bool| -> Vec<u32> {
        let those = changes.iter().filter(|(_, _, change)| is_it(change));
        those.map(|(second, _, _)| *second).collect()
    };
    let [first, again] = times(|change| matches!(change, Change::Named(_)))[..] else {
        panic!("not named twice");
    };
    let suspected = times(|change| matches!(change, Change::Suspected));
    assert!((300..=first - 15).contains(&suspected[0]), "{suspected:?}");
    assert!((330..360).contains(&first), "{first}");
    assert!(again > 1_030, "{again}");
    let over = times(|change| matches!(change, Change::Over));
    assert!(
        over.iter().any(|over| (640..670).contains(over)),
        "{over:?}"
    );
    let rises = changes
        .iter()
        .filter_map(|(second, _, change)| match change {
            Change::Measured(rise) => Some((*second, *rise)),
            _ => None,
        });
    let (_, rise) = rises
        .take_while(|(second, _)| *second < 600)
        .last()
        .expect("one");
    assert!((rise.rate - 2.0).abs() < 0.01, "{rise:?}");
    assert!((rise.since - 300.0).abs() <= 2.0, "{rise:?}");
}

#[test]
fn growth_of_any_length_is_named_once() {
    for length in (300..6_000).step_by(190) {
        let life: Life = Box::new(move |second| second.min(length).into());
        let changes = changes(vec![life], 0, 4 * length);
        let named = |(_, _, change): &&(u32, usize, Change)| matches!(change, Change::Named(_));
        assert_eq!(changes.iter().filter(named).count(), 1, "{length}");
    }
}

#[test]
fn a_verdict_ends_when_the_rise_is_given_back() {
    let life: Life = Box::new(|second| u64::from(second % 301));
    let over = changes(vec![life], 0, 400).into_iter();
    let over = over.filter(|(_, _, change)| matches!(change, Change::Over));
    let over: Vec<_> = over.map(|(second, _, _)| second).collect();
    assert!(
        over.len() == 1 && (301..=303).contains(&over[0]),
        "{over:?}"
    );
}

#[test]
fn no_family_is_named_before_the_program_settled() {
    let leak = || vec![simulation::leaking(simulation::still(0), 0, 1.0)];
    assert_eq!(named(leak(), 200, 200), BTreeMap::new());
    assert!((200..=210).contains(&named(leak(), 200, 260)[&0]));
}

#[test]
fn a_family_that_comes_later_is_judged_from_then_on() {
    let mut detector = Detector::new(Duration::ZERO);
    let named = (0..400_u32).find(|second| {
        let late = second.checked_sub(301).map(|leaked| (7, leaked.into()));
        let sample = [(3, 1_000)].into_iter().chain(late);
        let changes = detector.observe(seconds(*second), sample);
        let verdict = |change: &(usize, Change)| matches!(change, (7, Change::Named(_)));
        changes.iter().any(verdict)
    });
    assert!(
        named.is_some_and(|second| (340..=361).contains(&second)),
        "{named:?}"
    );
}
