//! What the figures cost: a pair with them against one of an engine built without.

use crate::Mistake;
use crate::measure::{Count, TIMES, named};
use crate::report::pair_in_loop;

/// Instructions a pair that the accounting may take.
const MOST: u64 = 2;

/// Prints both. Gives what fails.
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
