//! A thread asks others to flush, by redirecting their cells.

use crate::heap::family::flush_thread;
use crate::heap::models::setting::{UNIT, User, model, new_heap, settled};
use crate::sync::models::spawn;

/// Catches: a trim that empties the caches of other threads itself; calls that go on in a cache that must be
/// flushed; a flush that is not noted.
#[test]
fn flush_on_demand() {
    model("the mode word", 2, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let [first, second, third] = [(); 3].map(|()| user.alloc(1));
        let oldest = first.give_up();
        user.release_again(oldest, 1);
        let trimming = spawn(|| heap.trim());
        user.release(second, 1);
        user.release(third, 1);
        trimming.join().expect("the other thread ended");
        let cache = user.cell.cache().expect("a cache");
        // Either the flush is still to come, or it is done and the hot slot has a newer unit.
        let asked = !user.cell.is_open();
        assert!(
            asked || cache.hot_unit() != Some(oldest),
            "no flush was asked for"
        );
        let last = user.alloc(1);
        assert!(user.cell.is_open());
        assert!(!asked || cache.hot_unit().is_none());
        user.release(last, 1);
        settled(heap, 4, 4);
        flush_thread();
        heap.trim();
        assert_eq!(settled(heap, 4, 4).vm_pages, 0);
    });
}
