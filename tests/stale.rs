//! Stale pointers are refused while the thread that released them frees a part of its cache.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Release};
use std::thread;

use mm::{FreeError, MmBox, MmManaged};
use mm_tests::{Random, join_all};

#[derive(MmManaged)]
struct Unit([u64; 4]);

const UNITS: usize = 20_000;

/// A value's address, which the test keeps beyond the value.
#[derive(Clone, Copy)]
struct Stale(NonNull<u8>);

// SAFETY: an address; the tests never read through it.
unsafe impl Sync for Stale {}

// SAFETY: as above.
unsafe impl Send for Stale {}

/// Releases all, and says how many so far; allocates nothing.
fn release_all(units: Vec<MmBox<Unit>>, released: &AtomicUsize) {
    for unit in units {
        assert_eq!(unit.0[0], 7);
        drop(unit);
        released.fetch_add(1, Release);
    }
}

/// Asks to release what was released already, lately; how often that was agreed to.
fn release_again(addresses: &[Stale], released: &AtomicUsize) -> usize {
    let (mut agreed, mut random) = (0, Random::new(1));
    loop {
        let so_far = released.load(Acquire);
        if so_far == UNITS {
            return agreed;
        }
        let Some(newest) = so_far.checked_sub(1) else {
            continue;
        };
        let Stale(unit) = addresses[newest - random.below(so_far.min(1_100))];
        // SAFETY: no live block is there, which is what the call answers.
        let answer = unsafe { mm::xfree_raw(unit) };
        agreed += usize::from(!matches!(answer, Err(FreeError::NotLive { .. })));
    }
}

#[test]
fn a_second_release_is_refused_while_a_cache_overflows() {
    for _ in 0..300 {
        let units: Vec<_> = (0..UNITS).map(|_| MmBox::new(Unit([7; 4]))).collect();
        let address = |unit: &MmBox<Unit>| NonNull::new(MmBox::as_ptr(unit).cast_mut());
        let addresses: Vec<_> = units
            .iter()
            .map(|unit| Stale(address(unit).expect("a box").cast()))
            .collect();
        let released = AtomicUsize::new(0);
        let agreed = thread::scope(|scope| {
            let releasing = scope.spawn(|| release_all(units, &released));
            let agreed = release_again(&addresses, &released);
            join_all([releasing]);
            agreed
        });
        assert_eq!(agreed, 0);
    }
    let snapshot = mm::snapshot();
    let family = snapshot.family(Unit::page_family().path());
    assert_eq!(family.expect("listed").live_units, 0);
    mm::check().expect("the walker finds the same");
}
