//! Units that one thread allocates and another releases.

use crate::heap::family::flush_thread;
use crate::heap::ground::Refusal;
use crate::heap::models::setting::{
    LARGE_UNIT, OWNED_UNIT, SMALL_UNIT, UNIT, User, model, new_heap, release_raw, settled,
};
use crate::os::membarrier::modelled;
use crate::sync::models::{Owned, ends_process, spawn};

/// Catches: claimed units that are not taken in the map.
#[test]
fn release_by_another_thread() {
    model("hand-over", 1, || {
        let heap = new_heap(UNIT);
        let maker = User::of(heap);
        let (one, other) = (maker.alloc(1), maker.alloc(1));
        let taker = spawn(move || {
            let user = User::of(heap);
            user.release(one, 1);
            let again = user.alloc(1);
            let more = user.alloc(1);
            user.release(again, 1);
            more
        });
        release_raw(heap, other.give_up()).expect("a live unit");
        let again = maker.alloc(1);
        let more = taker.join().expect("the taker ended");
        maker.release(again, 1);
        maker.release(more, 1);
        settled(heap, 5, 5);
    });
}

/// A thread takes a block of `units` units out of its cache again and hands it over; other blocks come into the
/// cache in its place. A release by the next owner must not find it in the cache. With `below`, it was on the
/// stack, below the hot slot.
fn released_after_it_left(unit: usize, units: usize, below: bool) {
    let heap = new_heap(unit);
    let user = User::of(heap);
    let mut above = below.then(|| user.alloc(units));
    let [first, second] = [(); 2].map(|()| user.alloc(units));
    let put = |above: &mut Option<Owned>, block| {
        above
            .take()
            .into_iter()
            .for_each(|above| user.release(above, units));
        user.release(block, units);
    };
    let take = |above: &mut Option<Owned>| {
        *above = below.then(|| user.alloc(units));
        user.alloc(units)
    };
    put(&mut above, first);
    let block = take(&mut above).give_up();
    let releasing = spawn(move || release_raw(heap, block));
    put(&mut above, second);
    let last = take(&mut above);
    put(&mut above, last);
    let answer = releasing.join().expect("the thread ended");
    answer.expect("a live block");
    let blocks = if below { 7 } else { 4 };
    settled(heap, blocks, blocks);
}

/// Catches: a count of the stack that is not `Release`.
#[test]
fn release_of_a_unit_that_left_the_hot_slot() {
    model("a release of what left another's hot slot", 2, || {
        released_after_it_left(UNIT, 1, false);
    });
}

/// Catches: the count of the stack raised before the slot is stored.
#[test]
fn release_of_a_unit_that_left_the_stack() {
    model("a release of what left another's stack", 2, || {
        released_after_it_left(UNIT, 1, true);
    });
}

/// Catches: a count of a bin that is not `Release`, or not loaded with `Acquire`.
#[test]
fn release_of_a_row_that_left_a_bin() {
    model("a release of what left another's bin", 3, || {
        released_after_it_left(UNIT, 2, false);
    });
}

/// Catches: `allocated` raised before a row leaves.
#[test]
fn release_of_a_row_that_left_a_list() {
    model("a release of what left another's long rows", 2, || {
        released_after_it_left(SMALL_UNIT, 33, false);
    });
}

/// A thread releases a block of `units` units, and moves it from its cache to the maps. Another thread releases
/// it again: it is in the cache, on its way to the maps, or there.
fn released_again(unit: usize, units: usize) {
    let heap = new_heap(unit);
    let user = User::of(heap);
    let [first, second] = [(); 2].map(|()| user.alloc(units));
    user.release(first, units);
    let block = second.give_up();
    user.release_again(block, units);
    let releasing = spawn(move || release_raw(heap, block));
    let cache = user.cell.cache().expect("a cache");
    cache.flush_units();
    heap.flush_rows(cache);
    let again = releasing.join().expect("the thread ended");
    assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
    settled(heap, 2, 2);
}

/// Catches: a release by address that does not search the caches; a unit that is in none of its places while it
/// moves from one to the next.
#[test]
fn second_release_of_large() {
    model("a second release", 1, || {
        let heap = new_heap(LARGE_UNIT);
        let user = User::of(heap);
        let unit = user.alloc(1).give_up();
        user.release_again(unit, 1);
        let releasing = spawn(move || release_raw(heap, unit));
        user.cell.cache().expect("a cache").flush_units();
        let again = releasing.join().expect("the thread ended");
        assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
        settled(heap, 1, 1);
    });
}

/// Catches: the faults of the model above, for a thread's own words.
#[test]
fn second_release_of_an_owned_unit() {
    model("a second release of an own unit", 1, || {
        released_again(OWNED_UNIT, 1);
    });
}

/// The unit moves from the thread's own word into the cache. With `membarrier`, so that no section has a fence.
///
/// Catches: the faults of `second_release_of_large`.
#[test]
fn second_release_of_a_free_unit() {
    model("a second release of a free unit", 2, || {
        modelled::begin();
        let heap = new_heap(OWNED_UNIT);
        let user = User::of(heap);
        let [first, second] = [(); 2].map(|()| user.alloc(1));
        let unit = first.give_up();
        user.release_again(unit, 1);
        let cache = user.cell.cache().expect("a cache");
        cache.flush_units();
        let releasing = spawn(move || release_raw(heap, unit));
        assert!(cache.refill());
        let again = releasing.join().expect("the thread ended");
        assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
        user.release(second, 1);
        settled(heap, 2, 2);
        modelled::end();
    });
}

/// The unit waits to be sent, and is sent when one of another page comes.
///
/// Catches: the faults of `second_release_of_large`.
#[test]
fn second_release_of_a_pending_unit() {
    model("a second release of a unit that is sent", 1, || {
        let heap = new_heap(LARGE_UNIT);
        let user = User::of(heap);
        let [hot, stacked, pending, others @ ..] = [(); 8].map(|()| user.alloc(1));
        let of_another_page = user.alloc(1);
        user.release(hot, 1);
        user.release(stacked, 1);
        let unit = pending.give_up();
        user.release_again(unit, 1);
        let releasing = spawn(move || release_raw(heap, unit));
        user.release(of_another_page, 1);
        let again = releasing.join().expect("the thread ended");
        assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
        for other in others {
            release_raw(heap, other.give_up()).expect("a live unit");
        }
        settled(heap, 9, 9);
    });
}

/// The unit was released by another thread, and moves from there to the owner's word.
///
/// Catches: the faults of `second_release_of_large`.
#[test]
fn second_release_of_a_sent_unit() {
    model("a second release of a sent unit", 2, || {
        let heap = new_heap(OWNED_UNIT);
        let user = User::of(heap);
        let unit = user.alloc(1).give_up();
        release_raw(heap, unit).expect("a live unit");
        let releasing = spawn(move || release_raw(heap, unit));
        let cache = user.cell.cache().expect("a cache");
        cache.enter();
        assert!(cache.drain_inbox());
        cache.leave();
        let again = releasing.join().expect("the thread ended");
        assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
        settled(heap, 1, 1);
    });
}

/// Catches: a release by address that does not search the caches.
#[test]
fn second_release_of_a_short_row() {
    model("a second release of a row", 3, || {
        released_again(UNIT, 2);
    });
}

/// Catches: a release by address that does not search the caches.
#[test]
fn second_release_of_a_long_row() {
    model("a second release of a long row", 3, || {
        released_again(SMALL_UNIT, 33);
    });
}

/// Catches: maps that do not check whether a unit is taken.
#[test]
fn overlapping_releases() {
    model("two releases at once", 1, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let unit = user.alloc(1).give_up();
        let other = spawn(move || {
            ends_process(|| {
                User::of(heap).release_again(unit, 1);
                flush_thread();
            })
        });
        let first = release_raw(heap, unit);
        let found = other.join().expect("the other thread ended");
        assert!(first.is_err() != found, "{first:?}, {found}");
    });
}
