//! A model of what readers find where a stack grows. See `crate::models`.

use core::alloc::Layout;
use core::cell::RefCell;
use core::sync::atomic::Ordering::Relaxed;
use std::rc::Rc;

use super::CacheRecord;
use crate::heap::Heap;
use crate::models::{model, spawn};

/// Where the slots of a record start, and how many there are.
fn slots_of(record: &CacheRecord) -> (usize, usize) {
    let slots = record.slots();
    (slots.as_ptr().addr(), slots.len())
}

/// Catches: `room` stored before `stack`, or not `Release`; `room` not loaded with `Acquire`.
#[test]
fn no_reader_finds_more_slots_than_there_are() {
    model("a stack's slots and their number", 3, || {
        let layout = Layout::new::<[u64; 512]>();
        let heap: &'static Heap = Box::leak(Box::new(Heap::new(layout)));
        let record = CacheRecord::make(heap).expect("memory for a record");
        let made = Rc::new(RefCell::new(vec![slots_of(record)]));
        let known = Rc::clone(&made);
        let owner = spawn(move || {
            for _ in 0..3 {
                assert!(record.grow_stack(heap.geometry()));
                made.borrow_mut().push(slots_of(record));
            }
        });
        for _ in 0..2 {
            let (stack, room) = slots_of(record);
            let known = known.borrow();
            let known = known.iter().find(|(at, _)| *at == stack);
            assert!(known.is_none_or(|(_, count)| room <= *count));
        }
        owner.join().expect("the owner ended");
        assert_eq!(record.room.load(Relaxed), 16);
    });
}
