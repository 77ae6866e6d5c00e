//! Free words of a working thread, which another thread takes.

use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::models::setting::{OWNED_UNIT, User, model, new_heap, settled};
use crate::sync::models::spawn;

/// The part of [`Heap::trim`] before it gives memory back.
fn reclaim_free_words(heap: &'static Heap) {
    let mut central = heap.central();
    central.reclaim_free_words_of_all(heap);
    central.caches.iter().for_each(CacheRecord::end_wanted);
}

/// Catches: words that are taken from an owner in a section; an owner that goes on in words that were taken
/// from it; one that does not find the units that it released.
#[test]
fn free_words_are_taken() {
    model("free words are taken", 3, || {
        let heap = new_heap(OWNED_UNIT);
        let owner = User::of(heap);
        let first = owner.alloc(1);
        owner.release(first, 1);
        let taking = spawn(move || reclaim_free_words(heap));
        let cache = owner.cell.cache().expect("a cache");
        cache.flush_units();
        let second = owner.alloc(1);
        owner.release(second, 1);
        taking.join().expect("the thread ended");
        settled(heap, 2, 2);
    });
}

/// The thread that takes the words needs them.
///
/// Catches: the faults of the model above; a unit that two threads have.
#[test]
fn free_words_go_to_another_thread() {
    model("free words go to another thread", 1, || {
        let heap = new_heap(OWNED_UNIT);
        let owner = User::of(heap);
        let first = owner.alloc(1);
        owner.release(first, 1);
        owner.cell.cache().expect("a cache").flush_units();
        let taking = spawn(move || {
            reclaim_free_words(heap);
            let user = User::of(heap);
            let unit = user.alloc(1);
            user.release(unit, 1);
        });
        let second = owner.alloc(1);
        owner.release(second, 1);
        owner.cell.cache().expect("a cache").flush_units();
        taking.join().expect("the thread ended");
        settled(heap, 3, 3);
    });
}

/// Catches: a family that is uncached while a thread owns words of it.
#[test]
fn all_words_are_taken() {
    model("all words are taken", 2, || {
        let heap = new_heap(OWNED_UNIT);
        let owner = User::of(heap);
        let [one, other] = [(); 2].map(|()| owner.alloc(1));
        owner.release(one, 1);
        let taking = spawn(move || heap.central().reclaim_all_words_of_all(heap));
        let cache = owner.cell.cache().expect("a cache");
        cache.flush_units();
        owner.release(other, 1);
        let last = owner.alloc(1);
        owner.release(last, 1);
        taking.join().expect("the thread ended");
        settled(heap, 3, 3);
    });
}
