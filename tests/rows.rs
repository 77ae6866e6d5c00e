//! Blocks of many units through their owners: what the threads' caches do with them.

use std::collections::BTreeMap;
use std::sync::{Barrier, mpsc};
use std::thread;

use mm::{FamilySnapshot, MmBox, MmManaged};
use mm_tests::{Random, resident, snapshot_of};
use proptest::prelude::*;

/// A unit of `N` bytes. Every test has a length of its own, and so a family of its own.
#[derive(Clone, Copy, MmManaged)]
#[mm(instances(
    Bytes<1>, Bytes<8>, Bytes<36>, Bytes<145>, Bytes<1_000>, Bytes<2_048>, Bytes<70_000>,
    Bytes<40>, Bytes<48>, Bytes<56>, Bytes<64>, Bytes<72>, Bytes<80>, Bytes<88>, Bytes<1_008>,
))]
#[repr(transparent)]
struct Bytes<const N: usize>([u8; N]);

#[derive(Clone, Copy, Debug)]
enum Action {
    Alloc { units: usize, zeroed: bool },
    Drop { pick: usize },
    DropRaw { pick: usize },
    Snapshot,
    Trim,
}

/// Lengths around every bound: bins, lists by length, the longest kept one, a page.
fn units() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(1),
        6 => 2..40_usize,
        6 => 28..120_usize,
        3 => 100..520_usize,
        1 => 1..2_500_usize,
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => (units(), any::<bool>()).prop_map(|(units, zeroed)| Action::Alloc { units, zeroed }),
        11 => any::<usize>().prop_map(|pick| Action::Drop { pick }),
        1 => any::<usize>().prop_map(|pick| Action::DropRaw { pick }),
        1 => Just(Action::Snapshot),
        1 => Just(Action::Trim),
    ]
}

fn figures<T: MmManaged>() -> FamilySnapshot {
    snapshot_of(T::page_family())
}

/// What is live, by address: the owner, and the byte that fills it.
struct Oracle<T: MmManaged> {
    live: BTreeMap<usize, (MmBox<[T]>, u8)>,
    allocated: u64,
    before: FamilySnapshot,
}

impl<const N: usize> Oracle<Bytes<N>>
where
    Bytes<N>: MmManaged,
{
    fn new() -> Self {
        drop(MmBox::new(Bytes([0; N])));
        Self {
            live: BTreeMap::new(),
            allocated: 0,
            before: figures::<Bytes<N>>(),
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Alloc { units, zeroed } => self.alloc(units, zeroed),
            Action::Drop { pick } => drop(self.pick(pick)),
            Action::DropRaw { pick } => self.pick(pick).into_iter().for_each(release_twice),
            Action::Snapshot => self.compare(),
            Action::Trim => {
                mm::trim();
            }
        }
    }

    fn alloc(&mut self, units: usize, zeroed: bool) {
        let fill = u8::try_from(self.allocated % 251).expect("below 251") + 1;
        let block = if zeroed {
            let mut block = Bytes::<N>::xcalloc(units);
            assert!(
                block
                    .iter()
                    .all(|unit| unit.0.iter().all(|byte| *byte == 0))
            );
            block.fill(Bytes([fill; N]));
            block
        } else {
            MmBox::from_fn(units, |_| Bytes([fill; N]))
        };
        self.allocated += 1;
        let (address, bytes) = (block.as_ptr().addr(), units * N);
        let below = self.live.range(..address + bytes).next_back();
        let end = below.map_or(0, |(start, (other, _))| start + other.len() * N);
        assert!(end <= address, "two live blocks overlap");
        self.live.insert(address, (block, fill));
    }

    /// Takes a live block out, after a look at what it holds.
    fn pick(&mut self, pick: usize) -> Option<MmBox<[Bytes<N>]>> {
        let pick = pick.checked_rem(self.live.len())?;
        let address = *self.live.keys().nth(pick)?;
        let (block, fill) = self.live.remove(&address)?;
        assert!(block.iter().all(|unit| unit.0 == [fill; N]));
        Some(block)
    }

    fn compare(&self) {
        let now = figures::<Bytes<N>>();
        let units: usize = self.live.values().map(|(block, _)| block.len()).sum();
        assert_eq!(now.live_blocks, self.live.len() as u64);
        assert_eq!(now.live_units, units as u64);
        assert_eq!(now.cached_units, 0);
        assert_eq!(
            now.blocks_allocated - self.before.blocks_allocated,
            self.allocated
        );
        assert_eq!(now.blocks_allocated - now.blocks_released, now.live_blocks);
        assert!(now.peak_live_bytes >= now.live_bytes);
        Bytes::<N>::page_family().check().expect("consistent");
    }
}

/// Releases a block by its address; a second time must be refused.
fn release_twice<T: MmManaged>(block: MmBox<[T]>) {
    let raw = MmBox::into_raw(block).cast::<u8>();
    let raw = std::ptr::NonNull::new(raw).expect("no null");
    // SAFETY: the pointer came out of `into_raw`, and no code uses the block.
    unsafe { mm::xfree_raw(raw) }.expect("live");
    // SAFETY: nothing was allocated since, so no live block starts there.
    let again = unsafe { mm::xfree_raw(raw) };
    assert!(again.is_err());
}

fn run<const N: usize>(actions: Vec<Action>)
where
    Bytes<N>: MmManaged,
{
    let mut oracle = Oracle::<Bytes<N>>::new();
    actions.into_iter().for_each(|action| oracle.act(action));
    oracle.compare();
    oracle.live.clear();
    oracle.compare();
}

macro_rules! oracles {
    ($($name:ident: $bytes:literal, $cases:literal, $steps:literal;)*) => {
        $(proptest! {
            #![proptest_config(ProptestConfig::with_cases($cases))]
            #[test]
            fn $name(actions in proptest::collection::vec(action(), 1..$steps)) {
                run::<$bytes>(actions);
            }
        })*
    };
}

oracles! {
    rows_of_1_byte_match_the_oracle: 1, 24, 400;
    rows_of_8_bytes_match_the_oracle: 8, 24, 600;
    rows_of_36_bytes_match_the_oracle: 36, 24, 600;
    rows_of_145_bytes_match_the_oracle: 145, 16, 400;
    rows_of_1_000_bytes_match_the_oracle: 1_000, 16, 200;
    rows_of_2_048_bytes_match_the_oracle: 2_048, 12, 100;
    rows_of_70_000_bytes_match_the_oracle: 70_000, 4, 12;
}

#[test]
fn a_block_is_reused_for_its_own_length() {
    type Unit = Bytes<40>;
    for units in [2, 17, 31, 32, 100, 455] {
        let first = Unit::xcalloc(units).as_ptr();
        assert_eq!(Unit::xcalloc(units).as_ptr(), first, "{units} units");
    }
}

#[test]
fn a_slightly_longer_block_serves_and_its_surplus_comes_back() {
    type Unit = Bytes<48>;
    let first = Unit::xcalloc(100).as_ptr();
    let shorter = Unit::xcalloc(90);
    assert_eq!(shorter.as_ptr(), first);
    // The caches of this thread alone: a snapshot frees what was not asked for.
    let now = figures::<Unit>();
    assert_eq!(
        (now.live_units, now.live_blocks, now.cached_units),
        (90, 1, 0)
    );
    Unit::page_family().check().expect("consistent");
    drop(shorter);
    // It is a block of 90 units from now on.
    assert_ne!(Unit::xcalloc(91).as_ptr(), first);
    assert_eq!(figures::<Unit>().live_units, 0);
}

#[test]
fn surplus_units_survive_another_threads_cache() {
    type Unit = Bytes<56>;
    let (sender, receiver) = mpsc::channel::<MmBox<[Unit]>>();
    let (done, is_done) = mpsc::channel();
    let other = thread::spawn(move || {
        // Opens this thread's cache.
        drop(Unit::xcalloc(100));
        done.send(()).expect("the test waits");
        for block in receiver {
            drop(block);
            done.send(()).expect("the test waits");
        }
    });
    is_done.recv().expect("the other thread starts");
    drop(Unit::xcalloc(200));
    let shorter = Unit::xcalloc(190);
    let now = figures::<Unit>();
    assert_eq!((now.live_units, now.live_blocks), (190, 1));
    assert!(
        now.cached_units >= 10,
        "{} units are cached",
        now.cached_units
    );
    sender.send(shorter).expect("the other thread waits");
    is_done.recv().expect("the other thread answers");
    assert_eq!(figures::<Unit>().live_units, 0);
    drop(sender);
    other.join().expect("no panic");
    let now = figures::<Unit>();
    assert_eq!((now.live_units, now.cached_units), (0, 0));
    Unit::page_family().check().expect("consistent");
}

#[test]
fn a_block_longer_than_a_page_is_no_cached_row() {
    type Unit = Bytes<1_008>;
    drop(Unit::xcalloc(40));
    for units in [64, 65, 66, 100, 455, 456, 600] {
        drop(Unit::xcalloc(units));
        Unit::page_family().check().expect("consistent");
    }
    assert_eq!(figures::<Unit>().live_units, 0);
}

#[test]
fn threads_that_end_leave_no_rows_behind() {
    type Unit = Bytes<64>;
    let work = |seed: usize| {
        let rows: Vec<_> = (1..60)
            .map(|step| Unit::xcalloc(1 + (step * seed) % 200))
            .collect();
        rows.into_iter().nth(seed % 59)
    };
    let mut mapped = Vec::new();
    for round in 0..4 {
        let kept: Vec<_> = (0..250)
            .map(|number| thread::spawn(move || work(round * 250 + number)))
            .map(|thread| thread.join().expect("no panic"))
            .collect();
        let units: usize = kept.iter().flatten().map(|row| row.len()).sum();
        let now = figures::<Unit>();
        assert_eq!((now.live_units, now.cached_units), (units as u64, 0));
        mapped.push(now.mapped_bytes);
        drop(kept);
    }
    Unit::page_family().check().expect("consistent");
    assert!(mapped[3] <= 2 * mapped[0], "{mapped:?}");
}

#[test]
fn a_parked_threads_rows_are_trimmed_and_its_units_are_at_its_next_call() {
    type Unit = Bytes<72>;
    let (parked, trimmed) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(move || {
            drop((1..200).map(Unit::xcalloc).collect::<Vec<_>>());
            let mut singles: Vec<_> = (0..900).map(|_| MmBox::new(Bytes([0; 72]))).collect();
            // Not side by side: those go into the thread's words.
            while let Some(last) = singles.pop() {
                drop(last);
            }
            parked.wait();
            trimmed.wait();
            drop(MmBox::new(Bytes([0; 72])));
            parked.wait();
            trimmed.wait();
        });
        parked.wait();
        let before = figures::<Unit>().cached_units;
        mm::trim();
        let trimmed_only = figures::<Unit>();
        trimmed.wait();
        parked.wait();
        let left = figures::<Unit>().cached_units;
        trimmed.wait();
        assert!(before > 900, "{before}");
        assert!(
            (800..=1_024).contains(&trimmed_only.cached_units),
            "{trimmed_only:?}"
        );
        assert!(left <= 64, "{left} units are cached still");
    });
}

#[test]
fn what_is_refilled_in_advance_is_no_reason_to_grow() {
    type Unit = Bytes<80>;
    let mut random = Random::new(1);
    let mut rows: Vec<_> = (0..4_000)
        .map(|_| Unit::xcalloc(1 + random.below(30)))
        .collect();
    for _ in 0..200_000 {
        let place = random.below(rows.len());
        rows[place] = Unit::xcalloc(1 + random.below(30));
    }
    let now = figures::<Unit>();
    assert!(
        now.mapped_bytes < 2 * now.live_bytes,
        "{} bytes for {}",
        now.mapped_bytes,
        now.live_bytes
    );
}

#[test]
fn a_family_of_rows_gives_back_when_it_falls() {
    type Unit = Bytes<88>;
    let (fallen, seen) = (&Barrier::new(2), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(move || {
            let row = || MmBox::from_fn(10, |_| Bytes([7; 88]));
            let mut rows: Vec<_> = (0..20_000).map(|_| Some(row())).collect();
            let falling = rows.iter_mut().enumerate();
            let most = falling.filter(|(place, _)| place % 200 != 0);
            most.for_each(|(_, row)| *row = None);
            fallen.wait();
            seen.wait();
        });
        fallen.wait();
        // A snapshot flushes the caches of its own thread only.
        let now = figures::<Unit>();
        seen.wait();
        assert!(now.peak_live_bytes > 16 << 20);
        assert!(
            resident(&now) < 6 << 20,
            "{} bytes are resident",
            resident(&now)
        );
    });
}
