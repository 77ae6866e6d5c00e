//! A short run of the stress program, with the engine's assertions on.

use std::time::Duration;

use mm_stress::{Options, run};

#[test]
fn figures_are_exact_whenever_threads_pause() {
    // Its own process: all figures of the run's families must come from the run.
    for (seed, threads) in [(1, 2), (2, 8)] {
        let options = Options {
            operations: 1_500_000,
            threads,
            seed,
            most_time: Duration::from_secs(60),
            round: 50_000,
        };
        let summary = run(options, |_| {}).unwrap_or_else(|difference| {
            panic!("seed {seed}, {threads} threads: {difference}");
        });
        assert!(summary.operations() >= options.operations, "{summary}");
        assert!(summary.fewest_operations() > 0, "{summary}");
        assert!(summary.rounds() >= 4, "{summary}");
        assert!(summary.snapshots() > 2 * summary.rounds(), "{summary}");
        assert!(summary.workers() > 2 * threads as u64, "{summary}");
    }
}
