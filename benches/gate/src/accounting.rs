//! The cost of the figures: a pair with accounting compared with a pair of an engine without it.

use crate::Mistake;
use crate::measure::{Count, TIMES, named};
use crate::report::pair_in_loop;

/// The most instructions of accounting for each pair.
const MOST: u64 = 2;

/// Prints both counts. Returns the failures.
pub(crate) fn check(with: &[Count], without: &[Count]) -> Result<Option<Mistake>, Mistake> {
    let in_loop = compare("in a loop", pair_in_loop(with)?, pair_in_loop(without)?);
    let alone = compare("on its own", pair_alone(with)?, pair_alone(without)?);
    Ok(in_loop.or(alone))
}

fn pair_alone(counts: &[Count]) -> Result<u64, Mistake> {
    Ok(named(counts, "pair")?.instructions / TIMES)
}

fn compare(which: &str, with: u64, without: u64) -> Option<Mistake> {
    println!("one pair {which}: {with} with accounting, {without} without");
    let more = with.saturating_sub(without);
    (more > MOST)
        .then(|| format!("the accounting takes {more} instructions a pair {which}, not {MOST}"))
}
