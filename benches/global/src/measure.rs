//! The program of one allocator: it measures one row and prints a line for each figure.

use std::env;
use std::time::Duration;

use mm_benches_common::clock::{Took, each, timed};

use crate::burst;
use crate::memory::peak;
use crate::rows::{Load, Row, rows};
use crate::start;

/// Measures the row that the command line names, and prints its figures.
///
/// The arguments are the name of the row and, if it is to do less than usual, the number of rounds (of the burst: the
/// seconds of sleep). Each line has
/// a name, a tab, and a figure: nanoseconds of CPU time of one operation, nanoseconds of wall time if the row uses
/// several threads, and the largest resident size in MB.
///
/// # Panics
///
/// If there is no such row, or the number is none.
pub fn measure() {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().expect("the name of a row");
    let rounds = arguments.next();
    let rounds = rounds.map(|rounds| rounds.parse().expect("a number of rounds"));
    if name == start::START {
        return start::measure();
    }
    if name == burst::BURST {
        return burst::measure(rounds.map(u64::from));
    }
    let row = rows().into_iter().find(|row| row.name == name);
    let row = row.expect("the name of a row");
    let load = Load {
        rounds: rounds.unwrap_or(row.load.rounds),
        ..row.load
    };
    let (cpu, wall) = medians(row, load);
    println!("{name}\t{cpu}");
    if row.is_threaded {
        println!("{name}, wall\t{wall}");
    }
    println!("{name}, peak\t{}", peak());
}

/// Does the rounds of a row after one that warms up, and returns the medians of their CPU and wall times, in
/// nanoseconds of one operation.
fn medians(row: Row, load: Load) -> (f64, f64) {
    let mut round = (row.prepare)(load.live);
    round();
    let mut rounds = Vec::new();
    for _ in 0..load.rounds {
        let mut operations = 0;
        let took = timed(|| operations = round());
        rounds.push((took, operations));
    }
    let median_of = |time: fn(&Took) -> Duration| {
        let times = rounds
            .iter()
            .map(|(took, operations)| each(time(took), *operations));
        median(times.collect())
    };
    (median_of(|took| took.cpu), median_of(|took| took.wall))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
