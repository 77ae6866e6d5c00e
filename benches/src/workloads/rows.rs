//! Zeroed rows of differing lengths, replaced at random.

use super::Load;
use crate::contract::{Rival, Row};
use mm_benches_common::clock::{each, timed};
use mm_benches_common::random::Random;

/// The number of live rows.
const LIVE: u32 = 4_096;
/// The number of rows that a round replaces.
pub(super) const OF_A_ROUND: u32 = 100_000;

/// Replaces random rows by rows of 1 to `load.live` units, and writes to both ends of each.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let Some(mut rows) = Rows::<R>::new(load.live) else {
        return Vec::new();
    };
    rows.replace_all();
    let took = timed(|| (0..load.rounds).for_each(|_| rows.replace_all()));
    let operations = u64::from(OF_A_ROUND) * u64::from(load.rounds);
    vec![each(took.wall, operations)]
}

/// The live rows, the places of replacements, and the lengths of the new rows.
pub(super) struct Rows<R: Rival> {
    live: Vec<R::Row>,
    places: Vec<u32>,
    lengths: Vec<u32>,
}

impl<R: Rival> Rows<R> {
    /// Makes rows of 1 to `longest` units. Returns `None` if the rival has no rows.
    pub(super) fn new(longest: u32) -> Option<Self> {
        let mut random = Random::new();
        let places = random.sequence(OF_A_ROUND, LIVE);
        let lengths = random.sequence(OF_A_ROUND, longest);
        let first = lengths.iter().take(LIVE as usize);
        let live = first.map(|&length| row(length)).collect::<Option<_>>()?;
        Some(Self {
            live,
            places,
            lengths,
        })
    }

    /// Replaces the rows of one round.
    pub(super) fn replace_all(&mut self) {
        for (&place, &length) in self.places.iter().zip(&self.lengths) {
            self.live[place as usize] = row(length).expect("the rival has rows");
        }
    }
}

/// Makes a row of one unit more than `length`.
#[inline]
fn row<W: Row>(length: u32) -> Option<W> {
    let mut row = W::zeroed(length as usize + 1)?;
    row.touch_ends(length);
    Some(row)
}
