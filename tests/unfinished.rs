//! Forks while other threads are inside calls: the blocks of those calls stay live in the child, and no
//! other figure changes.

use std::alloc::Layout;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::Release};
use std::thread;
use std::time::{Duration, Instant};

use mm::{Block, MmBox, MmManaged, PageFamily, RegisterError};
use mm_tests::{OwnedBlock, Tally, figures, in_a_child, is_child};

/// Of one thread alone, so that often nothing was released since the last snapshot.
#[derive(MmManaged)]
struct Grown(#[expect(dead_code, reason = "only its size matters")] [u64; 2]);

#[derive(MmManaged)]
struct Node(#[expect(dead_code, reason = "only its size matters")] [u64; 3]);

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Word(#[expect(dead_code, reason = "only its size matters")] u32);

static STOP: AtomicBool = AtomicBool::new(false);

/// Blocks of one type that one thread holds, between calls. Not in a cache line with others.
#[repr(align(128))]
struct Held(AtomicUsize);

static GROWN: Held = Held(AtomicUsize::new(0));
static NODES: [Held; 2] = [const { Held(AtomicUsize::new(0)) }; 2];
static ROWS: [Held; 2] = [const { Held(AtomicUsize::new(0)) }; 2];

/// Pushes onto `all`, and counts.
fn push<B: Block + ?Sized>(all: &mut Vec<MmBox<B>>, one: MmBox<B>, held: &Held) {
    all.push(one);
    held.0.store(all.len(), Release);
}

/// Drops all from the newest on, and counts each before.
fn drop_all<B: Block + ?Sized>(all: &mut Vec<MmBox<B>>, held: &Held) {
    while let Some(last) = all.len().checked_sub(1) {
        held.0.store(last, Release);
        all.truncate(last);
    }
}

/// Makes many values, and then drops them.
fn grow() {
    let mut grown = Vec::with_capacity(200_000);
    while !STOP.load(Relaxed) {
        if grown.len() == grown.capacity() {
            drop_all(&mut grown, &GROWN);
        }
        push(&mut grown, MmBox::new(Grown([7; 2])), &GROWN);
    }
}

/// Makes some nodes and rows, and then drops them.
fn mix(held_nodes: &Held, held_rows: &Held) {
    let (mut nodes, mut rows) = (Vec::new(), Vec::new());
    for step in 0.. {
        if STOP.load(Relaxed) {
            return;
        }
        push(&mut nodes, MmBox::new(Node([7; 3])), held_nodes);
        if step % 17 == 0 {
            push(&mut rows, Word::xcalloc(2 + step % 300), held_rows);
        }
        if step % 3_000 == 0 {
            drop_all(&mut nodes, held_nodes);
            drop_all(&mut rows, held_rows);
        }
    }
}

/// Blocks that are live beyond those that threads hold.
fn unfinished(family: &'static PageFamily, held: &[Held]) -> u64 {
    let held: usize = held.iter().map(|one| one.0.load(Relaxed)).sum();
    figures(family).live_blocks.wrapping_sub(held as u64)
}

/// The same for each of the three families.
fn all_unfinished() -> [u64; 3] {
    [
        unfinished(Grown::page_family(), std::slice::from_ref(&GROWN)),
        unfinished(Node::page_family(), &NODES),
        unfinished(Word::page_family(), &ROWS),
    ]
}

/// What the child finds, as its exit code: how many calls are unfinished, or what is wrong.
fn look() -> i32 {
    // SAFETY: no handler is asked for: a child that hangs is ended.
    unsafe { libc::alarm(30) };
    if let Err(wrong) = mm::check() {
        eprintln!("{wrong}");
        return 101;
    }
    let found @ [grown, nodes, rows] = all_unfinished();
    // Each thread is inside of one call at most.
    if grown > 1 || nodes.saturating_add(rows) > 2 {
        eprintln!("{found:?} blocks that no thread holds");
        return 102;
    }
    // What is live is not handed out again, and the child goes on.
    let more: Vec<_> = (0..500).map(|_| MmBox::new(Node([1; 3]))).collect();
    drop((more, Word::xcalloc(100), MmBox::new(Grown([1; 2]))));
    mm::trim();
    if all_unfinished() != found {
        return 103;
    }
    i32::try_from(grown + nodes + rows).unwrap_or(104)
}

/// Forks for some seconds, at most `most` times; what the children say, none of it wrong.
fn forks(most: usize, look: fn() -> i32) -> Vec<i32> {
    thread::sleep(Duration::from_millis(20));
    let start = Instant::now();
    let mut codes = Vec::new();
    while codes.len() < most && start.elapsed() < Duration::from_secs(3) {
        // Reports what was released so far: the child may say no less.
        drop(mm::snapshot());
        codes.push(in_a_child(look).code().unwrap_or(-1));
    }
    STOP.store(true, Relaxed);
    let is_wrong = |code: &&i32| !(0..100).contains(*code);
    let wrong: Vec<_> = codes.iter().filter(is_wrong).collect();
    assert_eq!(wrong, Vec::<&i32>::new(), "of {} children", codes.len());
    println!(
        "{} unfinished calls in {} children",
        codes.iter().sum::<i32>(),
        codes.len()
    );
    let tally = Tally {
        faults: codes.len(),
        ..Tally::default()
    };
    println!("{tally}");
    codes
}

/// Forks beside threads that allocate and release.
fn fork_beside_workers(most: usize) -> Vec<i32> {
    let mut working = vec![thread::spawn(grow)];
    for (nodes, rows) in NODES.iter().zip(&ROWS) {
        working.push(thread::spawn(|| mix(nodes, rows)));
    }
    let codes = forks(most, look);
    for one in working {
        one.join().expect("no panic");
    }
    mm::check().expect("the walker finds the same");
    for family in [
        Grown::page_family(),
        Node::page_family(),
        Word::page_family(),
    ] {
        assert_eq!(figures(family).live_blocks, 0);
    }
    codes
}

#[test]
fn a_unit_inside_an_unfinished_call_stays_live_in_the_child() {
    let name = "a_unit_inside_an_unfinished_call_stays_live_in_the_child";
    if is_child(name, |_| {}) {
        let codes = fork_beside_workers(250);
        assert!(codes.iter().any(|code| *code > 0), "no fork met a call");
    }
}

#[test]
fn units_of_hardened_families_stay_live_in_the_child() {
    let name = "units_of_hardened_families_stay_live_in_the_child";
    let options = "random,poison,quarantine=64KiB";
    let harden = |child: &mut Command| {
        child.env("MM_OPTIONS", options);
    };
    if is_child(name, harden) {
        fork_beside_workers(50);
    }
}

/// Families that were registered for sure.
static REGISTERED: AtomicUsize = AtomicUsize::new(0);

fn register(number: usize) -> Result<&'static PageFamily, RegisterError> {
    PageFamily::register(&format!("unfinished:{number}"), Layout::new::<[u64; 256]>())
}

fn register_many() {
    for number in 0..2_000 {
        if STOP.load(Relaxed) {
            return;
        }
        let family = register(number).expect("a new name");
        REGISTERED.store(number + 1, Release);
        OwnedBlock::new(family, 1).release();
        // Who waits for a lock has its turn.
        thread::sleep(Duration::from_micros(500));
    }
}

fn again_and_again(f: fn()) {
    while !STOP.load(Relaxed) {
        f();
    }
}

/// What the child finds that was forked beside calls for all families.
fn look_at_families() -> i32 {
    // SAFETY: no handler is asked for: a child that hangs is ended.
    unsafe { libc::alarm(30) };
    if mm::check().is_err() {
        return 101;
    }
    let sure = REGISTERED.load(Relaxed);
    let is_taken = |number| matches!(register(number), Err(RegisterError::DuplicateName { .. }));
    if !(0..sure).all(is_taken) {
        return 102;
    }
    // The next one may be there too, but is whole then.
    let unfinished = i32::from(is_taken(sure));
    // None after it is, and the child can have it.
    if register(sure + 1).is_err() || !is_taken(sure + 1) {
        return 103;
    }
    let snapshot = mm::snapshot();
    let live = snapshot.family(Node::page_family().path());
    if live.is_none_or(|family| family.live_blocks != 1) {
        return 104;
    }
    mm::trim();
    if mm::check().is_ok() { unfinished } else { 105 }
}

#[test]
fn forks_beside_snapshots_registrations_and_trims() {
    if !is_child("forks_beside_snapshots_registrations_and_trims", |_| {}) {
        return;
    }
    let kept = MmBox::new(Node([1; 3]));
    let threads = [
        thread::spawn(register_many),
        thread::spawn(|| again_and_again(|| drop(mm::snapshot()))),
        thread::spawn(|| again_and_again(|| _ = mm::trim())),
    ];
    forks(300, look_at_families);
    for thread in threads {
        thread.join().expect("no panic");
    }
    drop(kept);
    mm::check().expect("the walker finds the same");
    assert_eq!(figures(Node::page_family()).live_blocks, 0);
}
