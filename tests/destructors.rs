//! Destructors in all the wrong places: of threads that panic, at the end of a thread and of the
//! process, of values that allocate and release meanwhile.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use mm::{MmBox, MmManaged, PageFamily};
use mm_tests::{Tally, figures, is_child};

#[derive(MmManaged)]
struct Plain(u64);

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Row(#[expect(dead_code, reason = "only its size matters")] [u32; 5]);

/// Its destructor allocates and releases, of its own family and of others, as deep as it says.
#[derive(MmManaged)]
struct Busy {
    depth: u32,
    next: Option<MmBox<Busy>>,
}

impl Busy {
    fn new(depth: u32) -> MmBox<Self> {
        MmBox::new(Self { depth, next: None })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let plain: Vec<_> = (0..20).map(|value| MmBox::new(Plain(value))).collect();
        let row = Row::xcalloc(40);
        if let Some(depth) = self.depth.checked_sub(1) {
            // Two of its own: one goes here, one with this value.
            drop(Self::new(depth.min(3)));
            self.next = Some(Self::new(depth.min(3)));
        }
        assert!(plain.iter().map(|one| one.0).sum::<u64>() == 190);
        drop((plain, row));
    }
}

/// Its destructor panics after it has released what it holds.
#[derive(MmManaged)]
struct Bomb(Option<MmBox<Busy>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        drop(self.0.take());
        assert!(thread::panicking(), "this destructor was to panic");
    }
}

fn families() -> [&'static PageFamily; 4] {
    [
        Plain::page_family(),
        Row::page_family(),
        Busy::page_family(),
        Bomb::page_family(),
    ]
}

/// Nothing is live, nor in the cache of a thread that is no more, and the walker agrees.
fn nothing_lives() {
    let quarantine = std::env::var_os("MM_OPTIONS").is_some();
    for family in families() {
        let now = figures(family);
        let live = (now.live_blocks, now.live_units);
        assert_eq!(live, (0, 0), "{}", family.name());
        assert_eq!(now.blocks_allocated, now.blocks_released);
        assert!(now.cached_units == 0 || quarantine, "{}", family.name());
    }
}

/// The tests share the families, so they take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(faults: usize) {
    let tally = Tally {
        faults,
        ..Tally::default()
    };
    println!("{tally}");
}

/// Holds values of all kinds, caches full of others, and panics.
fn die(seed: usize) {
    let plain: Vec<_> = (0..500 + seed).map(|_| MmBox::new(Plain(1))).collect();
    let rows: Vec<_> = (1..60).map(|units| Row::xcalloc(units * 9)).collect();
    let busy: Vec<_> = (0..10).map(Busy::new).collect();
    LOCAL.with_borrow_mut(|local| local.push(Busy::new(2)));
    drop(rows);
    let kept = [MmBox::new(Bomb(Some(Busy::new(1))))];
    assert!(
        plain.len() + busy.len() + kept.len() == seed,
        "the thread dies"
    );
}

thread_local! {
    static LOCAL: RefCell<Vec<MmBox<Busy>>> = const { RefCell::new(Vec::new()) };
}

fn threads_die(threads: usize) {
    for group in 0..threads / 4 {
        let dying: Vec<_> = (0..4)
            .map(|number| thread::spawn(move || die(group + number)))
            .collect();
        assert!(dying.into_iter().all(|thread| thread.join().is_err()));
    }
    nothing_lives();
    tell(threads);
}

#[test]
fn threads_that_panic_leave_nothing() {
    let _turn = turn();
    threads_die(80);
}

#[test]
fn threads_that_panic_leave_nothing_in_hardened_mode() {
    let name = "threads_that_panic_leave_nothing_in_hardened_mode";
    let harden = |child: &mut Command| {
        child.env("MM_OPTIONS", "random,poison,quarantine=32KiB");
        // Forty of them would take seconds.
        child.env("RUST_BACKTRACE", "0");
    };
    if is_child(name, harden) {
        threads_die(40);
    }
}

#[test]
fn destructors_allocate_and_release() {
    let _turn = turn();
    let many: Vec<_> = (0..300).map(|depth| Busy::new(depth % 5)).collect();
    drop(many);
    drop(MmBox::from_fn(50, |_| Busy {
        depth: 2,
        next: Some(Busy::new(3)),
    }));
    nothing_lives();
}

#[test]
fn destructors_that_panic_release_what_they_hold() {
    let _turn = turn();
    for units in [1, 2, 40, 500] {
        // One panics, and the others of the block are dropped while it goes on.
        let row = MmBox::from_fn(units, |_| Bomb(Some(Busy::new(2))));
        let caught = catch_unwind(AssertUnwindSafe(|| drop(row)));
        assert!(caught.is_err());
        nothing_lives();
    }
    tell(4);
}

/// Goes after mm's own locals, or before them, by what was used first.
struct AtEnd {
    held: Vec<MmBox<Busy>>,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.held.clear();
        let plain: Vec<_> = (0..1_500).map(|_| MmBox::new(Plain(1))).collect();
        let rows: Vec<_> = (1..400).step_by(7).map(Row::xcalloc).collect();
        drop((plain, Busy::new(3), rows));
        // All of mm can be used here.
        mm::trim();
        drop(mm::snapshot());
    }
}

thread_local! {
    static EARLY: RefCell<AtEnd> = const { RefCell::new(AtEnd { held: Vec::new() }) };
    static LATE: RefCell<AtEnd> = const { RefCell::new(AtEnd { held: Vec::new() }) };
}

fn fill_locals() {
    // Used before anything of mm, so dropped after it.
    EARLY.with_borrow_mut(|local| local.held.clear());
    let boxes = || (0..40).map(|depth| Busy::new(depth % 4)).collect();
    EARLY.with_borrow_mut(|local| local.held = boxes());
    LATE.with_borrow_mut(|local| local.held = boxes());
}

#[test]
fn locals_use_mm_when_a_thread_ends() {
    let _turn = turn();
    for round in 0..30 {
        let ends_well = thread::spawn(fill_locals).join().is_ok();
        let ends_badly = thread::spawn(move || {
            fill_locals();
            assert!(round > 30, "the thread dies");
        });
        assert!(ends_well && ends_badly.join().is_err());
    }
    nothing_lives();
    tell(30);
}

/// What lives until the process ends.
static KEPT: Mutex<Vec<MmBox<Busy>>> = Mutex::new(Vec::new());

extern "C" fn at_exit() {
    let before = figures(Busy::page_family()).live_blocks;
    KEPT.lock().expect("one thread").clear();
    let plain: Vec<_> = (0..1_500).map(|_| MmBox::new(Plain(1))).collect();
    drop((plain, Row::xcalloc(300), Busy::new(3)));
    let other = thread::spawn(|| drop(Busy::new(2))).join().is_ok();
    nothing_lives();
    println!("at exit: {before} live, then none; threads: {other}");
}

#[test]
fn everything_works_at_exit() {
    let name = "everything_works_at_exit";
    let output = mm_tests::again(name, |_| {});
    let Some(output) = output else {
        // SAFETY: the function returns nothing, and a panic in it ends the process.
        assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
        let mut kept = KEPT.lock().expect("one thread");
        kept.extend((0..30).map(|_| Busy::new(2)));
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    let line = "at exit: 30 live, then none; threads: true";
    assert!(text.contains(line), "{text}{errors}");
}
