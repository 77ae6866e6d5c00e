//! The lock that keeps an owner out of its words.

use loom::cell::UnsafeCell;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier};
use crate::heap::models::setting::{UNIT, model, new_heap};
use crate::os::membarrier::{model_step, model_stop, modelled};
use crate::sync::models::spawn;

/// The data under the lock. `loom` fails if two threads access it without an order between them.
struct Words(UnsafeCell<u32>);

// SAFETY: `Words` is read and changed under the lock that the model examines, and `loom` fails where two
// threads do so at once.
unsafe impl Sync for Words {}

impl Words {
    fn change(&self) {
        // SAFETY: `with_mut` reports a second access at the same time to `loom`, which then ends the model.
        self.0.with_mut(|words| unsafe { *words += 1 });
    }
}

fn owner_and_thief() {
    let heap: &'static Heap = new_heap(UNIT);
    let record = CacheRecord::make(heap).expect("memory");
    record.end_wanted();
    let words: &'static Words = Box::leak(Box::new(Words(UnsafeCell::new(0))));
    let owner = spawn(move || {
        for _ in 0..2 {
            record.enter();
            words.change();
            model_step();
            record.leave();
        }
        model_stop();
    });
    let central = heap.central();
    record.want();
    assert!(barrier());
    record.wait_until_at_rest();
    words.change();
    record.end_wanted();
    drop(central);
    owner.join().expect("the owner ended");
    words.0.with(|words| {
        // SAFETY: `join` returned, so that the other thread ended, and no reference to the number is left.
        assert_eq!(unsafe { *words }, 3);
    });
}

/// Catches: no barrier; `wanted` loaded or `busy` loaded without `Acquire`; either stored without `Release` at
/// the end.
#[test]
fn one_thread_at_a_time_changes_words() {
    model("the biased lock", 3, || {
        modelled::begin();
        owner_and_thief();
        modelled::end();
    });
}

/// Catches: no fence on the owner's side, or on the other's.
#[test]
fn one_thread_at_a_time_changes_words_without_membarrier() {
    model("the biased lock, without the kernel", 3, owner_and_thief);
}
