//! Forks of a process whose other threads allocate and release meanwhile.

use std::io;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mm::{MmBox, MmManaged, PageFamily};
use mm_tests::{Random, in_a_child, share, snapshot_of};

#[derive(MmManaged)]
struct Node([u64; 4]);

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Word(u32);

/// Children that are made; each ends by itself or is ended by its alarm.
fn forks() -> usize {
    share(100, 300)
}

/// What the forking thread holds, besides what the others do.
const KEPT: usize = 1_000;

static STOP: AtomicBool = AtomicBool::new(false);

/// Allocates and releases until told to stop, so that any step may be the one a fork meets.
fn work(seed: u64) {
    let mut nodes: Vec<MmBox<Node>> = Vec::new();
    let mut rows: Vec<Option<MmBox<[Word]>>> = (0..64).map(|_| None).collect();
    let mut random = Random::new(seed);
    while !STOP.load(Relaxed) {
        rows[random.below(64)] = Some(Word::xcalloc(1 + random.below(400)));
        nodes.push(MmBox::new(Node([7; 4])));
        if nodes.len() > 3_000 + random.below(2_000) {
            nodes.truncate(random.below(1_000));
        }
        if random.below(5_000) == 0 {
            mm::trim();
        }
    }
}

fn live() -> u64 {
    snapshot_of(Node::page_family()).live_units
}

/// What the child finds, as its exit code.
fn look(kept: Vec<MmBox<Node>>) -> i32 {
    if mm::check().is_err() {
        return 1;
    }
    let before = live();
    let more: Vec<_> = (0..KEPT).map(|_| MmBox::new(Node([8; 4]))).collect();
    let rows: Vec<_> = (1..400).map(Word::xcalloc).collect();
    if live() != before + KEPT as u64 {
        return 2;
    }
    if !rows.iter().all(|row| row.iter().all(|word| word.0 == 0)) {
        return 3;
    }
    if !kept.iter().all(|node| node.0 == [9; 4]) || !more.iter().all(|node| node.0 == [8; 4]) {
        return 4;
    }
    drop((kept, more, rows));
    if live() != before - KEPT as u64 {
        return 5;
    }
    let other = PageFamily::register("of a child", std::alloc::Layout::new::<u64>());
    let worked = thread::spawn(|| drop(MmBox::new(Node([1; 4]))))
        .join()
        .is_ok();
    if other.is_err() || !worked || mm::check().is_err() {
        return 6;
    }
    0
}

fn fork_and_look() -> ExitStatus {
    let mut kept: Vec<_> = (0..KEPT).map(|_| MmBox::new(Node([9; 4]))).collect();
    let status = in_a_child(|| look(mem::take(&mut kept)));
    assert_eq!(kept.len(), KEPT);
    assert!(kept.iter().all(|node| node.0 == [9; 4]));
    status
}

#[test]
fn children_of_a_busy_process_go_on() {
    let threads: Vec<_> = (1..=3)
        .map(|seed| thread::spawn(move || work(seed)))
        .collect();
    thread::sleep(Duration::from_millis(20));
    let statuses: Vec<_> = (0..forks()).map(|_| fork_and_look()).collect();
    STOP.store(true, Relaxed);
    let joined = threads.into_iter().all(|thread| thread.join().is_ok());
    assert_eq!(
        statuses
            .iter()
            .filter(|status| !status.success())
            .collect::<Vec<_>>(),
        Vec::<&ExitStatus>::new()
    );
    assert!(joined);
    assert_eq!(live(), 0);
    mm::check().expect("the walker finds the same");
}

#[test]
fn a_second_release_ends_a_child_whose_stderr_is_locked_for_ever() {
    let (locked, wait) = mpsc::channel();
    let (end, until) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let _stderr = io::stderr().lock();
        locked.send(()).expect("the test waits");
        // An error says the same: the test is over.
        let _ = until.recv();
    });
    wait.recv().expect("the thread sends");
    let status = in_a_child(|| {
        // No cache keeps it, so the second release looks into the maps.
        let row = MmBox::into_raw(Word::xcalloc(5_000));
        for _ in 0..2 {
            // SAFETY: the first time. The second is the bug that is to be found.
            drop(unsafe { MmBox::from_raw(row) });
        }
        1
    });
    drop(end);
    other.join().expect("no panic");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{status}");
}
