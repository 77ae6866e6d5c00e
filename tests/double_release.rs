//! Owners that release twice: the process ends at the latest when the second release reaches the
//! maps. Each in a process of its own.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use mm::{FreeError, MmBox, MmManaged};
use mm_tests::{Tally, again, join_all};

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Item(#[expect(dead_code, reason = "only its size matters")] [u64; 4]);

/// A block without an owner.
#[derive(Clone, Copy)]
struct Bare(*mut [Item]);

// SAFETY: an address; what is done with it is what the tests are about.
unsafe impl Send for Bare {}

// SAFETY: as above.
unsafe impl Sync for Bare {}

impl Bare {
    fn new(units: usize) -> Self {
        Self(MmBox::into_raw(Item::xcalloc(units)))
    }

    /// Releases the block as its owner.
    fn drop_once(self) {
        // SAFETY: sound once. The second time is what is tested, in a process that ends with it.
        drop(unsafe { MmBox::from_raw(self.0) });
    }

    fn release_raw(self) -> Result<(), FreeError> {
        let start = NonNull::new(self.0.cast()).expect("a block");
        // SAFETY: as above.
        unsafe { mm::xfree_raw(start) }
    }
}

/// A name, and what is done to a block.
type Way = (&'static str, fn(Bare));

/// Ways to release a block twice.
const WAYS: [Way; 5] = [
    ("drop, drop", |block| {
        block.drop_once();
        block.drop_once();
    }),
    ("raw, drop", |block| {
        block.release_raw().expect("live");
        block.drop_once();
    }),
    ("drop, drop by another thread", |block| {
        block.drop_once();
        let other = thread::spawn(move || block.drop_once());
        other.join().expect("no panic");
    }),
    ("drop by another thread, drop", |block| {
        let other = thread::spawn(move || block.drop_once());
        other.join().expect("no panic");
        block.drop_once();
    }),
    ("drop, others, drop", |block| {
        block.drop_once();
        // What is released between: nothing is allocated.
        OTHERS.with_borrow_mut(Vec::clear);
        block.drop_once();
    }),
];

thread_local! {
    static OTHERS: std::cell::RefCell<Vec<MmBox<Item>>> = const {
        std::cell::RefCell::new(Vec::new())
    };
}

/// Single units, short and long rows, blocks that no cache keeps, large ones.
const UNITS: [usize; 6] = [1, 5, 31, 100, 1_500, 50_000];

/// What the child does, as its argument.
const WHAT: &str = "MM_TEST_WHAT";

fn release_twice(number: usize) {
    OTHERS.with_borrow_mut(|others| {
        others.extend((0..1_500).map(|_| MmBox::new(Item([1; 4]))));
    });
    // Neighbours, so that a page has more than the one block.
    let blocks: Vec<_> = (0..3)
        .map(|_| Bare::new(UNITS[number / WAYS.len()]))
        .collect();
    WAYS[number % WAYS.len()].1(blocks[1]);
    drop(mm::snapshot());
    println!("went on");
}

/// The process was ended by mm, which said why.
fn was_ended(output: &Output) -> bool {
    let (out, errors) = (&output.stdout, &output.stderr);
    output.status.signal() == Some(libc::SIGABRT)
        && !String::from_utf8_lossy(out).contains("went on")
        && String::from_utf8_lossy(errors).contains("was released twice")
}

fn try_all(name: &str, options: &str) {
    if let Some(number) = std::env::var_os(WHAT) {
        let number = number.to_str().and_then(|number| number.parse().ok());
        return release_twice(number.expect("a number"));
    }
    let all = UNITS.len() * WAYS.len();
    for number in 0..all {
        let output = again(name, |child| {
            child.env(WHAT, number.to_string());
            child.env("MM_OPTIONS", options);
        });
        let (units, way) = (UNITS[number / WAYS.len()], WAYS[number % WAYS.len()].0);
        let output = output.expect("a child");
        assert!(was_ended(&output), "{units} units: {way}: {output:?}");
    }
    let tally = Tally {
        bad_inputs: all,
        ..Tally::default()
    };
    println!("{tally}");
}

#[test]
fn every_way_to_release_twice_ends_the_process() {
    try_all("every_way_to_release_twice_ends_the_process", "");
}

#[test]
fn also_in_hardened_mode() {
    try_all("also_in_hardened_mode", "zero,quarantine=64KiB");
}

const RACES: usize = 3_000;

/// An owner and a bare pointer release the same blocks at the same time. How often the bare one
/// was agreed to, of which the flush at the end has to find each.
fn race(units: usize) -> usize {
    let blocks: Vec<_> = (0..RACES).map(|_| Bare::new(units)).collect();
    let ready = AtomicUsize::new(0);
    let wait = || {
        ready.fetch_add(1, Relaxed);
        while ready.load(Relaxed) < 2 {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let owner = scope.spawn(|| {
            wait();
            blocks.iter().for_each(|block| block.drop_once());
        });
        wait();
        // From the other end: they meet in the middle.
        let agreed = blocks
            .iter()
            .rev()
            .filter(|block| block.release_raw().is_ok());
        let agreed = agreed.count();
        println!("\nagreed to {agreed}");
        // What it has in its cache is flushed: that finds the rest.
        join_all([owner]);
        agreed
    })
}

#[test]
fn an_owner_that_races_with_a_bare_pointer_ends_the_process() {
    let name = "an_owner_that_races_with_a_bare_pointer_ends_the_process";
    let mut tried = 0;
    for units in [1, 20, 200] {
        let output = again(name, |child| {
            child.env(WHAT, units.to_string());
        });
        let Some(output) = output else {
            let units = std::env::var(WHAT).expect("what to do");
            race(units.parse().expect("a number"));
            drop(mm::snapshot());
            println!("went on");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        // No release was agreed to, or the flush found it.
        let was_late = text.contains("agreed to 0\n") && output.status.success();
        assert!(was_late || was_ended(&output), "{units} units: {output:?}");
        tried += RACES;
    }
    let tally = Tally {
        bad_inputs: tried,
        ..Tally::default()
    };
    println!("{tally}");
}
