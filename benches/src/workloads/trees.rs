//! Binary trees: built from the leaves up, then released.

use super::Load;
use crate::contract::{Forest, Rival};
use mm_benches_common::clock::{each, timed};

/// Builds and releases trees of depth `load.live`. An operation is one node.
pub(super) fn measure<R: Rival>(load: Load) -> Vec<f64> {
    let mut forest = R::Forest::default();
    let mut round = || {
        let tree = build(&mut forest, load.live);
        forest.fell(tree);
    };
    round();
    let took = timed(|| (0..load.rounds).for_each(|_| round()));
    let nodes = (2_u64 << load.live) - 1;
    vec![each(took.wall, nodes * u64::from(load.rounds))]
}

fn build<F: Forest>(forest: &mut F, depth: u32) -> F::Tree {
    if depth == 0 {
        return forest.join(None, None);
    }
    let left = build(forest, depth - 1);
    let right = build(forest, depth - 1);
    forest.join(Some(left), Some(right))
}
