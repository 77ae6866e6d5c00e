//! Short runs of the stress program, with the engine's assertions on.

use std::env;
use std::process::Command;
use std::time::Duration;

use mm_stress::{Options, run};

/// Tells the second run that it is hardened.
const ROLE: &str = "MM_TEST_STRESS";

#[test]
fn figures_are_exact_whenever_threads_pause() {
    // Its own process: all figures of the run's families must come from the run.
    let is_hardened = env::var_os(ROLE).is_some();
    let operations = if is_hardened { 200_000 } else { 1_500_000 };
    for (seed, threads) in [(1, 2), (2, 8)] {
        let options = Options {
            operations,
            threads,
            seed,
            most_time: Duration::from_secs(60),
            round: operations / 30,
            switch: seed == 2,
        };
        let summary = run(options, |_| {}).unwrap_or_else(|difference| {
            panic!("seed {seed}, {threads} threads: {difference}");
        });
        assert!(summary.operations() >= options.operations, "{summary}");
        // In a short run a family may have no turn.
        assert!(is_hardened || summary.fewest_operations() > 0, "{summary}");
        assert!(summary.rounds() >= 4, "{summary}");
        assert!(summary.snapshots() > 2 * summary.rounds(), "{summary}");
        assert!(summary.workers() > 2 * threads as u64, "{summary}");
    }
}

#[test]
fn they_are_in_hardened_mode_too() {
    for options in [
        "zero,quarantine=64KiB",
        "random,guard",
        "random,poison,guard,quarantine=1MiB",
    ] {
        let me = env::current_exe().expect("a path");
        let mut child = Command::new(me);
        child.args(["--exact", "figures_are_exact_whenever_threads_pause"]);
        child.env(ROLE, "1").env("MM_OPTIONS", options);
        let output = child.output().expect("a child");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{options}: {text}");
        assert!(text.contains("1 passed"), "{options}: {text}");
    }
}
