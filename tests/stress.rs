//! Short runs of the stress program, with the engine's assertions on.

use std::env;
use std::time::Duration;

use mm_stress::{Options, run};

/// Tells a second run what is different there.
const ROLE: &str = "MM_TEST_STRESS";

#[test]
fn figures_are_exact_whenever_threads_pause() {
    // Its own process: all figures of the run's families must come from the run.
    let role = env::var(ROLE).unwrap_or_default();
    prepare(&role);
    let operations = if role.is_empty() { 1_500_000 } else { 200_000 };
    for (seed, threads) in [(1, 2), (2, 8)] {
        let options = Options {
            operations,
            threads,
            seed,
            most_time: Duration::from_mins(1),
            round: operations / 30,
            switch: seed == 2,
        };
        let summary = run(options, |_| {}).unwrap_or_else(|difference| {
            panic!("seed {seed}, {threads} threads: {difference}");
        });
        assert!(summary.operations() >= options.operations, "{summary}");
        // In a short run a family may have no turn.
        assert!(
            !role.is_empty() || summary.fewest_operations() > 0,
            "{summary}"
        );
        assert!(summary.rounds() >= 4, "{summary}");
        assert!(summary.snapshots() > 2 * summary.rounds(), "{summary}");
        assert!(summary.workers() > 2 * threads as u64, "{summary}");
    }
}

/// Takes the kernel's barrier away, if the role says so: before mm asks for it, or afterwards.
#[cfg(target_os = "linux")]
fn prepare(role: &str) {
    if role == "barrier refused later" {
        let family = mm_tests::family("asks for the barrier", 8, 8);
        mm_tests::OwnedBlock::new(family, 1).release();
    }
    if role.starts_with("barrier refused") {
        mm_tests::refuse(&[libc::SYS_membarrier]);
    }
}

#[cfg(not(target_os = "linux"))]
fn prepare(_: &str) {}

/// Runs the first test again, in a process of its own.
fn again(role: &str, options: &str) {
    let output = mm_tests::again("figures_are_exact_whenever_threads_pause", |child| {
        child.env(ROLE, role).env("MM_OPTIONS", options);
    });
    let output = output.expect("the parent");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{role} {options}: {text}");
    assert!(text.contains("1 passed"), "{role} {options}: {text}");
}

#[test]
fn they_are_in_hardened_mode_too() {
    for options in [
        "zero,quarantine=64KiB",
        "random,guard",
        "random,poison,guard,quarantine=1MiB",
    ] {
        again("hardened", options);
    }
}

/// Where the kernel runs no barrier, as old ones and filters of system calls do.
#[test]
#[cfg(target_os = "linux")]
fn they_are_without_the_kernels_barrier() {
    again("barrier refused", "");
    again("barrier refused later", "");
}
