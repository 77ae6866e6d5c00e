//! Zeroed rows of differing lengths, replaced at random.

use super::Load;
use crate::rivals::{Rival, Row};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// Rows that are live.
const LIVE: u32 = 4_096;
/// Rows that a round replaces.
const OF_A_ROUND: u32 = 100_000;

/// Replaces random rows by others of 1 to `load.live` units, and touches both ends of each.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let mut random = Random::new();
    let places = random.sequence(OF_A_ROUND, LIVE);
    let lengths = random.sequence(OF_A_ROUND, load.live);
    let first = lengths.iter().take(LIVE as usize);
    let Some(mut rows) = first
        .map(|&length| row(length))
        .collect::<Option<Vec<R::Row>>>()
    else {
        return Vec::new();
    };
    let mut round = || {
        for (&place, &length) in places.iter().zip(&lengths) {
            rows[place as usize] = row(length).expect("the rival has rows");
        }
    };
    round();
    let took = timed(|| (0..load.rounds).for_each(|_| round()));
    let operations = u64::from(OF_A_ROUND) * u64::from(load.rounds);
    vec![each(took.wall, operations)]
}

/// Makes a row of one unit more than `length`.
#[inline]
fn row<W: Row>(length: u32) -> Option<W> {
    let mut row = W::zeroed(length as usize + 1)?;
    row.touch_ends(length);
    Some(row)
}
