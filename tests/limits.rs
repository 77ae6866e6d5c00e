//! What happens when the system gives little: under limits, in processes of their own.

use std::alloc::Layout;
use std::env;
use std::process::Command;
use std::ptr::NonNull;

use mm::{AllocError, PageFamily};

/// Tells the test that it is the child, which the limit holds for.
const CHILD: &str = "MM_TEST_UNDER_LIMIT";

/// Runs the named test again in a shell after `limit`, unless this is that run already.
///
/// Returns whether the caller is the child and has to do the work.
fn under(limit: &str, test: &str) -> bool {
    if env::var_os(CHILD).is_some() {
        return true;
    }
    let me = env::current_exe().expect("a path");
    let line = format!("{limit} && exec \"$0\" --exact {test} --nocapture --test-threads 1");
    let output = Command::new("sh")
        .args(["-c", &line])
        .arg(me)
        .env(CHILD, "1")
        .output();
    let output = output.expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    false
}

fn family(name: &str, size: usize) -> &'static PageFamily {
    let layout = Layout::from_size_align(size, 8).expect("a layout");
    PageFamily::register(name, layout).expect("a new name")
}

/// Allocates blocks of `units` until none is left.
fn exhaust(family: &'static PageFamily, units: usize) -> Vec<NonNull<u8>> {
    let mut live = Vec::with_capacity(1 << 20);
    loop {
        match family.alloc_zeroed(units) {
            Ok(block) => live.push(block),
            Err(AllocError::OutOfMemory { .. }) => return live,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs out of memory, and checks that everything else goes on and comes back.
fn run_out(units: usize) {
    let (large, other) = (family("limits:large", 4_096), family("limits:other", 64));
    let before = other.alloc(1).expect("memory");
    let live = exhaust(large, units);
    assert!(live.len() > 10, "only {} blocks", live.len());
    large.check().expect("the walker finds the same");
    let snapshot = mm::snapshot();
    let figures = snapshot.family("limits:large").expect("listed");
    assert_eq!(figures.live_units, (live.len() * units) as u64);
    println!("{}", snapshot.memory_usage(None));
    // SAFETY: the block is live and ours.
    unsafe { other.release(before) }.expect("live");
    let again = other.alloc(1).expect("from the cache or the page");
    // SAFETY: the block is live and ours.
    unsafe { other.release(again) }.expect("live");
    let served = live.len();
    for block in live {
        // SAFETY: the block is live and ours.
        unsafe { large.release(block) }.expect("live");
    }
    mm::trim();
    assert!(
        exhaust(large, units).len() >= served,
        "all can be had again"
    );
}

#[test]
fn out_of_address_space() {
    if under("ulimit -v 600000", "out_of_address_space") {
        run_out(1);
    }
}

#[test]
fn out_of_address_space_with_large_blocks() {
    if under("ulimit -v 600000", "out_of_address_space_with_large_blocks") {
        run_out(1_000);
    }
}

#[test]
fn out_of_data_segment() {
    if under("ulimit -d 200000", "out_of_data_segment") {
        run_out(1);
    }
}

#[test]
fn hundreds_of_families_beside_ten_thousand() {
    #[derive(mm::MmManaged)]
    struct Derived(#[expect(dead_code, reason = "only its place matters")] u64);

    let kept = mm::MmBox::new(Derived(1));
    let families: Vec<_> = (0..10_200)
        .map(|number| family(&format!("limits:{number}"), 48))
        .collect();
    for (index, family) in families.iter().enumerate() {
        let units = index % 3 + 1;
        let block = family.alloc_zeroed(units).expect("memory");
        if index % 2 == 0 {
            // SAFETY: the block is live and ours.
            unsafe { family.release(block) }.expect("live");
        }
    }
    let snapshot = mm::snapshot();
    let ours = |name: &str| name.starts_with("limits:") && name.as_bytes()[7].is_ascii_digit();
    let listed = snapshot.families.iter().filter(|family| ours(family.name));
    let (count, live) = listed.fold((0, 0), |(count, live), family| {
        (count + 1, live + family.live_blocks)
    });
    assert_eq!((count, live), (10_200, 5_100));
    mm::check().expect("the walker finds the same");
    drop(kept);
}
