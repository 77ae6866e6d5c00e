//! Tests: the OS pages that a heap asks for as it grows, shrinks and grows again. `pages/huge.rs` gives the
//! reasons.

use core::alloc::Layout;

use crate::heap::family::Heap;
use crate::heap::family::cache::CacheCell;
use crate::heap::ground::EXTENT;
use crate::heap::pages::Extent;
use crate::heap::pages::huge::Wish;
use crate::os::huge::pretending;

/// Eight of these units fill an extent.
const UNIT: Layout = Layout::new::<[u64; EXTENT / 8 / 8]>();

/// Grows a heap to `extents` extents, and returns what each asked for, oldest first.
fn wishes(heap: &'static Heap, extents: usize) -> Vec<Wish> {
    let cell: &CacheCell = Box::leak(Box::default());
    let here = core::panic::Location::caller();
    for _ in 0..extents * 8 {
        assert!(heap.alloc(cell, 1, &here).is_ok());
    }
    heap.check().expect("the walker finds the same");
    wishes_now(heap)
}

fn wishes_now(heap: &'static Heap) -> Vec<Wish> {
    let extents = heap.central().extents();
    let mut wishes: Vec<_> = extents.map(Extent::wish).collect();
    wishes.reverse();
    wishes
}

#[test]
fn small_families_ask_for_small_pages_where_huge_ones_are_usual() {
    static HEAP: Heap = Heap::new(UNIT);
    let wishes = pretending(true, || wishes(&HEAP, 6));
    let expected = [[Wish::Small; 3], [Wish::None; 3]].concat();
    assert_eq!(wishes, expected);
}

#[test]
fn memory_that_comes_and_goes_asks_for_huge_pages() {
    static HEAP: Heap = Heap::new(UNIT);
    let cell: &CacheCell = Box::leak(Box::default());
    let here = core::panic::Location::caller();
    let come = || {
        let unit = |_| HEAP.alloc(cell, 1, &here).expect("memory for a unit").first;
        (0..6 * 8).map(unit).collect::<Vec<_>>()
    };
    let again = pretending(false, || {
        for unit in come() {
            // SAFETY: `come` allocated the unit, which the test does not use, through the same `cell`.
            unsafe { HEAP.release(cell, unit, 1) };
        }
        assert_eq!(wishes_now(&HEAP), [Wish::None; 6]);
        crate::heap::family::flush_thread();
        HEAP.central().trim(&HEAP);
        come();
        wishes_now(&HEAP)
    });
    let huge = again.iter().filter(|wish| **wish == Wish::Huge);
    assert_eq!(huge.count(), 3, "{again:?}");
}

#[test]
fn no_extent_asks_where_huge_pages_are_not_usual() {
    static HEAP: Heap = Heap::new(UNIT);
    let wishes = pretending(false, || wishes(&HEAP, 6));
    assert_eq!(wishes, [Wish::None; 6]);
}
