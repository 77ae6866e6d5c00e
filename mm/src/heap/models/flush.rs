//! A thread asks others to flush, through the mode word of their caches.

use crate::heap::family::flush_thread;
use crate::heap::models::{UNIT, User, model, new_heap, settled};
use crate::sync::models::spawn;

/// Catches: who trims empties the caches of others itself; calls that go on in a cache that was asked
/// to flush; a flush that is not noted.
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
        // Either somebody asks, or that was answered: then the hot slot has a newer unit.
        let asked = !user.cell.is_open();
        assert!(asked || cache.hot_unit() != Some(oldest), "nobody asked");
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
