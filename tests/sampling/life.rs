//! Forks, threads, and the ends of threads while blocks are sampled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::alone;

/// Runs the test `name` of this file again, with `options`; true in the first process.
fn is_parent(name: &str, options: &str) -> bool {
    !mm_tests::is_child_with(&format!("life::{name}"), options)
}

fn work(rounds: usize, stop: &AtomicBool) {
    let mut map = BTreeMap::new();
    for round in 0..rounds {
        if stop.load(Relaxed) {
            return;
        }
        map.insert(round * 7_919 % 1_000, "x".repeat(round % 300));
        if round % 5 == 0 {
            map.remove(&(round % 1_000));
        }
    }
}

#[test]
fn threads_sample_in_parallel() {
    let _alone = alone();
    for options in ["sample=256", "sample=1"] {
        if is_parent("threads_sample_in_parallel", options) {
            continue;
        }
        let go_on = AtomicBool::new(false);
        thread::scope(|scope| {
            // A scope does not wait for the ends of its threads.
            mm_tests::join_all((0..8).map(|_| scope.spawn(|| work(20_000, &go_on))));
        });
        mm::check().expect("what mm keeps is right");
        let profile = mm::heap_profile();
        let rest = profile.unattributed_bytes();
        assert!(rest.abs() < 2_000_000.0, "{rest} of {}", profile.live_bytes);
        return;
    }
}

#[test]
fn forked_children_go_on() {
    let _alone = alone();
    for options in ["sample=256", "sample=1"] {
        if is_parent("forked_children_go_on", options) {
            continue;
        }
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| work(usize::MAX, &stop)))
                .collect();
            let kept: Vec<String> = (0..1_000_usize).map(|number| number.to_string()).collect();
            for _ in 0..50 {
                let status = mm_tests::in_a_child(|| {
                    let more: Vec<String> = kept.iter().map(|text| text.repeat(9)).collect();
                    let is_right = mm::check().is_ok();
                    let has_stacks = !mm::heap_profile().stacks.is_empty();
                    drop(more);
                    i32::from(!(is_right && has_stacks))
                });
                if !status.success() {
                    stop.store(true, Relaxed);
                    panic!("{status:?}");
                }
            }
            stop.store(true, Relaxed);
            mm_tests::join_all(threads);
        });
        mm::check().expect("what mm keeps is right");
        return;
    }
}

struct Last(Vec<String>);

impl Drop for Last {
    fn drop(&mut self) {
        // Another thread-local may be gone by now.
        self.0
            .extend((0..1_000_usize).map(|number| "y".repeat(number % 90)));
        self.0.truncate(10);
    }
}

thread_local! {
    static FIRST: RefCell<Last> = const { RefCell::new(Last(Vec::new())) };
    static SECOND: RefCell<Last> = const { RefCell::new(Last(Vec::new())) };
}

#[test]
fn the_last_destructors_of_a_thread_are_sampled() {
    let _alone = alone();
    if is_parent("the_last_destructors_of_a_thread_are_sampled", "sample=1") {
        return;
    }
    for _ in 0..20 {
        let one = thread::spawn(|| {
            FIRST.with_borrow_mut(|last| last.0.push("z".repeat(1_000)));
            SECOND.with_borrow_mut(|last| last.0.push("z".repeat(100)));
        });
        one.join().expect("no panic");
    }
    mm::check().expect("what mm keeps is right");
}
