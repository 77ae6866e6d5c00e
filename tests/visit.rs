//! Visits of all live units, against what their owners know.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use mm::{Limit, MmBox, MmManaged};
use mm_tests::{OwnedBlock, Random, figures, is_child_with, ones, release_all, share};

/// A unit of `N` bytes. Tests that may run at the same time have lengths of their own, and so
/// families of their own.
#[derive(Clone, Copy, MmManaged)]
#[mm(instances(
    Bytes<1>, Bytes<36>, Bytes<1_000>, Bytes<9_000>, Bytes<70_000>, Bytes<300_000>,
    Bytes<24>, Bytes<48>, Bytes<2_000>, Bytes<80>, Bytes<88>, Bytes<96>, Bytes<104>, Bytes<112>,
    Bytes<120>,
))]
#[repr(transparent)]
struct Bytes<const N: usize>([u8; N]);

#[derive(MmManaged)]
struct Mark;

/// What one thread owns.
struct Owner<T: MmManaged> {
    random: Random,
    live: Vec<MmBox<[T]>>,
}

impl<const N: usize> Owner<Bytes<N>>
where
    Bytes<N>: MmManaged,
{
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            live: Vec::new(),
        }
    }

    /// Some length: a single unit, for a bin, for a list by length, of a page, or large.
    fn units(&mut self) -> usize {
        let most = [1, 1, 1, 31, 120, 520, 3_000][self.random.below(7)];
        let units = self.random.below(most) + 1;
        units.min((1 << 20) / N).max(1)
    }

    fn alloc(&mut self) {
        let units = self.units();
        self.live.push(MmBox::from_fn(units, |_| Bytes([7; N])));
    }

    fn release(&mut self) {
        let pick = self.random.below(self.live.len());
        self.live.swap_remove(pick);
    }

    /// Allocates and releases; what is live grows and falls in turn.
    fn churn(&mut self, steps: usize) {
        let most = self.random.below(400) + 1;
        for _ in 0..steps {
            if self.live.len() > most || (!self.live.is_empty() && self.random.below(2) == 0) {
                self.release();
            } else {
                self.alloc();
            }
        }
    }

    fn units_owned(&self) -> BTreeSet<usize> {
        self.live.iter().flat_map(units_of).collect()
    }
}

fn units_of<T: MmManaged>(block: &MmBox<[T]>) -> impl Iterator<Item = usize> {
    block.iter().map(|unit| std::ptr::from_ref(unit).addr())
}

/// What a visit shows, each unit once.
fn visited<T: MmManaged>() -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let see = |unit: *const T| assert!(seen.insert(unit.addr()), "{unit:p} is shown twice");
    // SAFETY: the callers see to it that other threads are at rest; `see` releases nothing.
    unsafe { T::for_each_live(see) };
    seen
}

/// Whether a visit shows what is owned, and no more.
fn compare<T: MmManaged>(owned: &BTreeSet<usize>) {
    let seen = visited::<T>();
    let missed = owned.difference(&seen).count();
    let dead = seen.difference(owned).count();
    assert_eq!((missed, dead), (0, 0), "missed, and shown but not live");
}

fn one_thread<const N: usize>(seed: u64, rounds: usize)
where
    Bytes<N>: MmManaged,
{
    compare::<Bytes<N>>(&BTreeSet::new());
    let mut owner = Owner::<Bytes<N>>::new(seed);
    for round in 0..share(rounds / 2, rounds) {
        owner.churn(300);
        compare::<Bytes<N>>(&owner.units_owned());
        if round % 7 == 0 {
            mm::trim();
        }
    }
    owner.live.clear();
    compare::<Bytes<N>>(&BTreeSet::new());
}

#[test]
fn every_live_unit_is_visited_once_and_no_other() {
    one_thread::<1>(1, 30);
    one_thread::<36>(2, 60);
    one_thread::<1_000>(3, 30);
    one_thread::<9_000>(4, 30);
    one_thread::<70_000>(5, 30);
    one_thread::<300_000>(6, 20);
}

#[test]
fn hardened_families_show_nothing_of_their_quarantine() {
    let name = "hardened_families_show_nothing_of_their_quarantine";
    for options in [
        "quarantine=4KiB",
        "random,quarantine=256KiB",
        "poison,guard,quarantine=4MiB",
    ] {
        if !is_child_with(name, options) {
            continue;
        }
        one_thread::<36>(7, 40);
        one_thread::<1_000>(8, 20);
        one_thread::<70_000>(9, 10);
        return;
    }
}

#[test]
fn families_with_a_limit_are_visited_too() {
    let mut owner = Owner::<Bytes<120>>::new(11);
    for limit in [
        Some(Limit::bytes(1 << 40)),
        None,
        Some(Limit::units(1 << 40)),
    ] {
        owner.churn(1_000);
        Bytes::<120>::page_family().set_limit(limit);
        compare::<Bytes<120>>(&owner.units_owned());
        owner.churn(1_000);
        compare::<Bytes<120>>(&owner.units_owned());
    }
}

/// A thread that owns some, and is at rest until it is told to go on.
fn work<const N: usize>(seed: u64, go_on: &Receiver<()>, owned: &Sender<BTreeSet<usize>>)
where
    Bytes<N>: MmManaged,
{
    let mut owner = Owner::<Bytes<N>>::new(seed);
    while go_on.recv().is_ok() {
        owner.churn(500);
        // The last releases stay in the cache.
        (0..owner.live.len() / 2).for_each(|_| owner.release());
        if owned.send(owner.units_owned()).is_err() {
            return;
        }
    }
}

/// Compares after each of `rounds` rounds of some threads, whose caches are not empty then.
fn many_threads<const N: usize>(rounds: usize)
where
    Bytes<N>: MmManaged,
{
    const WORKERS: u64 = 6;
    thread::scope(|scope| {
        let (owned, answers) = channel();
        // Dropped when an assertion fails: then all threads end.
        let mut workers = Vec::new();
        for seed in 1..=WORKERS {
            let (go, go_on) = channel();
            let owned = owned.clone();
            scope.spawn(move || work::<N>(seed, &go_on, &owned));
            workers.push(go);
        }
        let mut own = Owner::<Bytes<N>>::new(77);
        for _ in 0..share(rounds / 2, rounds) {
            own.churn(300);
            let mut all = own.units_owned();
            for go in &workers {
                go.send(()).expect("a worker that waits");
                // One after the other: they are about the same family, not about each other.
                let answer = answers.recv_timeout(Duration::from_mins(1));
                all.extend(answer.expect("a worker that works"));
            }
            compare::<Bytes<N>>(&all);
            let cached = figures(Bytes::<N>::page_family()).cached_units;
            assert!(cached > 0, "the workers' caches are empty");
        }
    });
}

#[test]
fn what_other_threads_keep_back_is_not_visited() {
    many_threads::<24>(12);
    many_threads::<48>(12);
    many_threads::<2_000>(12);
}

#[test]
fn a_visitor_may_allocate_and_release_what_it_allocated() {
    let mut owner = Owner::<Bytes<80>>::new(10);
    owner.churn(3_000);
    let owned = owner.units_owned();
    let (mut seen, mut kept) = (BTreeSet::new(), Vec::new());
    let see = |unit: *const Bytes<80>| {
        assert!(seen.insert(unit.addr()), "{unit:p} is shown twice");
        drop(MmBox::from_fn(40, |_| Bytes::<80>([1; 80])));
        kept.push(MmBox::from_fn(2, |_| Bytes::<80>([2; 80])));
        kept.push(MmBox::from_fn(1, |_| Bytes::<80>([2; 80])));
    };
    // SAFETY: no other thread has this family.
    unsafe { Bytes::<80>::for_each_live(see) };
    assert!(owned.is_subset(&seen));
    let made: BTreeSet<_> = kept.iter().flat_map(units_of).collect();
    assert!(seen.difference(&owned).all(|unit| made.contains(unit)));
    assert!(made.is_disjoint(&owned));
    compare::<Bytes<80>>(&made.union(&owned).copied().collect());
}

#[test]
fn a_visitor_may_release_what_it_has_seen() {
    let make = |_| MmBox::into_raw(MmBox::new(Bytes([3; 88])));
    let mut left: BTreeSet<_> = (0..5_000).map(make).collect();
    let release = |unit: *const Bytes<88>| {
        let unit = unit.cast_mut();
        assert!(left.remove(&unit), "{unit:p} is shown, and not live");
        // SAFETY: the unit came out of `into_raw`, and is shown once.
        drop(unsafe { MmBox::<Bytes<88>>::from_raw(unit) });
    };
    // SAFETY: no other thread has this family, and what is released was shown.
    unsafe { Bytes::<88>::for_each_live(release) };
    assert!(left.is_empty());
    assert_eq!(figures(Bytes::<88>::page_family()).live_units, 0);
}

#[test]
fn a_visitor_may_visit_and_take_snapshots() {
    let blocks: Vec<_> = (0..50)
        .map(|_| MmBox::from_fn(3, |_| Bytes([4; 96])))
        .collect();
    let mut visits = 0;
    let see = |_: *const Bytes<96>| {
        visits += visited::<Bytes<96>>().len();
        assert_eq!(figures(Bytes::<96>::page_family()).live_units, 150);
    };
    // SAFETY: no other thread has this family, and nothing is released.
    unsafe { Bytes::<96>::for_each_live(see) };
    assert_eq!(visits, 150 * 150);
    drop(blocks);
}

#[test]
fn a_visitor_that_panics_leaves_everything_as_it_was() {
    let blocks: Vec<_> = (0..100).map(|_| MmBox::new(Bytes([5; 104]))).collect();
    let mut shown = 0;
    let see = |_: *const Bytes<104>| {
        shown += 1;
        assert!(shown < 10, "enough");
    };
    // SAFETY: no other thread has this family, and nothing is released.
    let visit = AssertUnwindSafe(|| unsafe { Bytes::<104>::for_each_live(see) });
    assert!(catch_unwind(visit).is_err());
    assert_eq!(shown, 10);
    let owned = blocks.iter().map(|block| MmBox::as_ptr(block).addr());
    compare::<Bytes<104>>(&owned.collect());
    let family = Bytes::<104>::page_family();
    family.check().expect("the walker finds the same");
}

#[test]
fn values_can_be_read() {
    let blocks: Vec<_> = (0..2_000)
        .map(|number: u32| {
            MmBox::from_fn(3, |_| {
                let mut bytes = [0; 112];
                bytes[..4].copy_from_slice(&number.to_le_bytes());
                Bytes(bytes)
            })
        })
        .collect();
    let mut sum = 0;
    let read = |unit: *const Bytes<112>| {
        // SAFETY: the unit is live and written, and no thread changes it.
        let [a, b, c, d, ..] = unsafe { &*unit }.0;
        sum += u64::from(u32::from_le_bytes([a, b, c, d]));
    };
    // SAFETY: no other thread has this family, and nothing is released.
    unsafe { Bytes::<112>::for_each_live(read) };
    assert_eq!(sum, 3 * (0..2_000).sum::<u64>());
    drop(blocks);
}

#[test]
fn units_without_size_are_counted() {
    let marks = MmBox::from_fn(5, |_| Mark);
    let one = MmBox::new(Mark);
    let mut shown = 0;
    let see = |mark: *const Mark| {
        assert!(mark.is_aligned() && !mark.is_null());
        shown += 1;
    };
    // SAFETY: no other thread has this family, and nothing is released.
    unsafe { Mark::for_each_live(see) };
    assert_eq!(shown, 6);
    drop((marks, one));
}

#[test]
fn families_without_a_type_are_visited_too() {
    let family = mm_tests::family("visit:words", 40, 8);
    let mut blocks = ones(family, 3_000);
    release_all(blocks.split_off(1_000));
    let mut owned: Vec<_> = blocks.iter().map(OwnedBlock::start).collect();
    let mut seen = Vec::new();
    // SAFETY: no other thread knows the family, and nothing is released.
    unsafe { family.for_each_live(|unit| seen.push(unit)) };
    owned.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, owned);
}
