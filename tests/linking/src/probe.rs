//! What must hold however a program is linked: exactly the families in it are listed, and their
//! figures are right.

#[cfg(feature = "many")]
mod many;

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use mm::{FamilySnapshot, MmBox, MmManaged, PageFamily};
use mm_test_lib_only as _;
use twice_one::Shared;
use twice_two::Shared as NewShared;

/// Values of each thread, of which it keeps some.
const MADE: usize = 1_000;
const KEPT: usize = 400;

/// Types that are made only to be many.
const MANY: usize = if cfg!(feature = "many") { 1_000 } else { 0 };

/// The version of this crate, and of those that follow the workspace.
const OWN: &str = env!("CARGO_PKG_VERSION");

#[derive(MmManaged)]
struct Used([usize; 4]);

/// Never made.
#[derive(MmManaged)]
struct Idle {
    _content: u32,
}

/// Of one instance there are rows, of the other nothing.
#[derive(MmManaged)]
#[mm(instances(Pair<u8>, Pair<u64>))]
struct Pair<T>(T, T);

/// A family's name and the version of its crate; its live blocks and live units, and the blocks
/// that each round allocates.
type Line = (&'static str, &'static str, [u64; 3]);

const WHILE_USED: &[Line] = &[
    ("Idle", OWN, [0; 3]),
    ("OfALibrary", OWN, [0; 3]),
    ("Pair<u64>", OWN, [0; 3]),
    ("Pair<u8>", OWN, [2, 10, 2]),
    ("Shared", "1.0.0", [2, 2, 2]),
    ("Shared", "2.0.0", [0; 3]),
    (
        "Used",
        OWN,
        [2 * KEPT as u64, 2 * KEPT as u64, 2 * MADE as u64],
    ),
    ("linking:run-time", "", [1, 3, 1]),
];

/// What one thread leaves to the main thread.
struct Kept {
    used: Vec<MmBox<Used>>,
    pairs: MmBox<[Pair<u8>]>,
    shared: MmBox<Shared>,
}

/// Allocates on two threads, releases on this one, and compares; returns the number of families.
pub(crate) fn run() -> usize {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let rounds = ROUNDS.fetch_add(1, Ordering::Relaxed) + 1;
    let threads = [thread::spawn(work), thread::spawn(work)];
    let kept = threads.map(|thread| thread.join().expect("the thread ends"));
    let family = run_time();
    let block = family.alloc_zeroed(3).expect("memory");
    compare(WHILE_USED, rounds);

    kept.iter().for_each(Kept::check);
    drop(kept);
    release(family, block);
    compare(&WHILE_USED.iter().map(released).collect::<Vec<_>>(), rounds);
    the_versions_are_told_apart();
    #[cfg(feature = "many")]
    many::run();
    WHILE_USED.len() + MANY
}

fn work() -> Kept {
    let mut used: Vec<_> = (0..MADE).map(|n| MmBox::new(Used([n; 4]))).collect();
    used.truncate(KEPT);
    Kept {
        used,
        pairs: Pair::xcalloc(5),
        shared: MmBox::new(Shared(7)),
    }
}

impl Kept {
    fn check(&self) {
        assert!((0..KEPT).all(|n| self.used[n].0 == [n; 4]));
        assert!(self.pairs.iter().all(|pair| (pair.0, pair.1) == (0, 0)));
        assert_eq!(self.shared.0, 7);
    }
}

fn run_time() -> &'static PageFamily {
    static FAMILY: OnceLock<&'static PageFamily> = OnceLock::new();
    FAMILY.get_or_init(|| {
        PageFamily::register("linking:run-time", Layout::new::<u64>()).expect("the name is free")
    })
}

fn release(family: &'static PageFamily, block: NonNull<u8>) {
    // SAFETY: the block is this family's, live, and used by nobody else.
    unsafe { family.release(block) }.expect("it is live");
}

/// Compares all families and their figures with what they should be after some rounds.
fn compare(expected: &[Line], rounds: u64) {
    mm::check().expect("the figures are those of the pages");
    let snapshot = mm::snapshot();
    let all = snapshot.families.iter().map(line);
    let (many, mut found): (Vec<_>, Vec<_>) = all.partition(|&(name, ..)| name == "Many");
    assert_eq!(many.len(), MANY);
    found.sort_unstable();
    let after = |&(name, version, [blocks, units, made]): &Line| {
        (name, version, [blocks, units, made * rounds])
    };
    assert_eq!(found, expected.iter().map(after).collect::<Vec<_>>());
}

fn line(family: &FamilySnapshot) -> Line {
    let (name, version) = (family.name, family.location.crate_version);
    let figures = [
        family.live_blocks,
        family.live_units,
        family.blocks_allocated,
    ];
    (name, version, figures)
}

/// The line when nothing is live any more.
fn released(&(name, version, [.., made]): &Line) -> Line {
    (name, version, [0, 0, made])
}

/// Two versions of one crate have types of the same path, defined at the same place.
fn the_versions_are_told_apart() {
    let [old, new] = [Shared::page_family(), NewShared::page_family()];
    assert_eq!(old.path(), new.path());
    let [old, new] = [old, new].map(|family| family.location().crate_version);
    assert_eq!((old, new), ("1.0.0", "2.0.0"));
    let snapshot = mm::snapshot();
    assert!(snapshot.family("Shared").is_none());
    let named = snapshot.families_named("Shared");
    assert_eq!(named.count(), 2);
}
