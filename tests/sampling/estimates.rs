//! Estimates against the truth, over many runs.

use crate::{Class, alone, usage_at};

/// Runs of each setting.
const RUNS: u32 = 1_000;

/// Sums over the runs of one class.
#[derive(Default)]
struct Errors {
    sum: f64,
    squares: f64,
    held: u32,
}

impl Errors {
    fn add(&mut self, estimate: mm::Estimate, truth: f64) {
        let error = estimate.value() - truth;
        self.sum += error;
        self.squares += error * error;
        let (low, high) = estimate.interval();
        self.held += u32::from((low..=high).contains(&truth));
    }

    fn check(&self, what: &str) {
        let runs = f64::from(RUNS);
        let mean = self.sum / runs;
        let variance = self.squares / runs - mean * mean;
        let standard_error = (variance / runs).sqrt();
        assert!(
            mean.abs() <= 3.0 * standard_error,
            "{what}: {mean} of {standard_error}"
        );
        let held = f64::from(self.held) / runs;
        println!("{what}: mean error {mean:.1} +- {standard_error:.1}, held {held}");
        assert!((0.93..=0.97).contains(&held), "{what}: {held}");
    }
}

macro_rules! runs {
    ($interval:literal: $($size:literal * $count:literal),+) => {{
        let sites = [$(Class::<$size>::site()),+];
        let mut errors: Vec<(Errors, Errors)> = sites.iter().map(|_| Default::default()).collect();
        for run in 0..RUNS {
            mm::__private::seed_samples(u64::from(run) << 20 | $interval);
            let mut all = ($(vec![std::ptr::null_mut(); $count],)+);
            let parts: &mut ($(runs!(@vec $size),)+) = &mut all;
            runs!(@each parts, $($size),+; allocate);
            let profile = mm::heap_profile();
            assert_eq!(profile.sample_interval, $interval);
            let truths = [$((f64::from($size), f64::from($count))),+];
            for ((site, (size, count)), errors) in sites.iter().zip(truths).zip(&mut errors) {
                let usage = usage_at(&profile, *site, &sites);
                errors.0.add(usage.live_bytes, size * count);
                errors.1.add(usage.live_blocks, count);
            }
            runs!(@each parts, $($size),+; release);
        }
        let names = [$(stringify!($size)),+];
        for (name, (bytes, blocks)) in names.iter().zip(&errors) {
            bytes.check(&format!("bytes in blocks of {name}"));
            blocks.check(&format!("blocks of {name}"));
        }
        mm::check().expect("what mm keeps is right");
    }};
    (@vec $size:literal) => { Vec<*mut u8> };
    (@each $parts:ident, $a:literal, $b:literal, $c:literal; $do:ident) => {
        Class::<$a>::$do(&mut $parts.0);
        Class::<$b>::$do(&mut $parts.1);
        Class::<$c>::$do(&mut $parts.2);
    };
}

#[test]
fn small_blocks_are_estimated_without_bias() {
    let _alone = alone();
    if mm_tests::is_child_with(
        "estimates::small_blocks_are_estimated_without_bias",
        "sample=4KiB",
    ) {
        runs!(4_096: 24 * 8_000, 400 * 1_000, 4_000 * 300);
    }
}

#[test]
fn large_blocks_are_estimated_without_bias() {
    let _alone = alone();
    if mm_tests::is_child_with(
        "estimates::large_blocks_are_estimated_without_bias",
        "sample=64KiB",
    ) {
        runs!(65_536: 30_000 * 200, 70_000 * 200, 150_000 * 200);
    }
}

/// Blocks that were sampled before the interval doubled keep their weights, also at their release.
#[test]
fn samples_keep_their_weights_while_the_interval_doubles() {
    let _alone = alone();
    let name = "estimates::samples_keep_their_weights_while_the_interval_doubles";
    if !mm_tests::is_child_with(name, "sample=256") {
        return;
    }
    let sites = [Class::<100>::site(), Class::<3_000>::site()];
    let mut small = vec![std::ptr::null_mut(); 500_000];
    let mut large = vec![std::ptr::null_mut(); 20_000];
    let (small_first, small_last) = small.split_at_mut(250_000);
    let (large_first, large_last) = large.split_at_mut(10_000);
    Class::<100>::allocate(small_first);
    Class::<3_000>::allocate(large_first);
    Class::<100>::allocate(small_last);
    Class::<3_000>::allocate(large_last);
    let profile = mm::heap_profile();
    let usage = sites.map(|site| usage_at(&profile, site, &sites));
    let samples: u64 = usage.iter().map(|usage| usage.samples).sum();
    assert!(samples > 100_000, "{samples}");
    assert!(profile.sample_interval > 256, "{}", profile.sample_interval);
    for (usage, bytes) in usage.iter().zip([50e6, 60e6]) {
        let error = usage.live_bytes.value() - bytes;
        let sigma = usage.live_bytes.variance().sqrt();
        println!("{error} of {sigma}");
        assert!(error.abs() <= 4.0 * sigma, "{error} of {sigma}");
    }
    mm::check().expect("what mm keeps is right");
    Class::<100>::release(&mut small);
    Class::<3_000>::release(&mut large);
    let profile = mm::heap_profile();
    for site in sites {
        let usage = usage_at(&profile, site, &sites);
        assert_eq!((usage.samples, usage.live_bytes.value()), (0, 0.0));
        assert_eq!(usage.live_blocks, mm::Estimate::default());
    }
}

#[test]
fn without_samples_there_is_no_profile() {
    if mm_tests::is_child_with(
        "estimates::without_samples_there_is_no_profile",
        "sample=off",
    ) {
        let kept: Vec<Box<[u64; 64]>> = (0..10_000).map(|_| Box::new([7; 64])).collect();
        let profile = mm::heap_profile();
        assert!(profile.stacks.is_empty() && profile.sample_interval == 0);
        assert!(profile.live_bytes >= 10_000 * 512);
        drop(kept);
    }
}
