//! A stack that grows, and one that overflows, while others look for a unit there.

use loom::sync::mpsc;

use super::{LARGE_UNIT, User, new_heap, release_raw, settled};
use crate::heap::Refusal;
use crate::models::{model, spawn};

/// A thread releases `units` units; another looks for the second, which is on the stack first.
fn searched(units: usize) {
    let heap = new_heap(LARGE_UNIT);
    let (to, from) = mpsc::channel();
    let owner = spawn(move || {
        let user = User::of(heap);
        let live: Vec<_> = (0..units).map(|_| user.alloc(1)).collect();
        let mut live = live.into_iter();
        user.release(live.next().expect("for the hot slot"), 1);
        let unit = live.next().expect("for the stack").give_up();
        user.release_again(unit, 1);
        to.send(unit).expect("somebody receives");
        live.for_each(|block| user.release(block, 1));
        // The newest of the stack comes and goes.
        let newest = [(); 2].map(|()| user.alloc(1));
        newest.into_iter().for_each(|block| user.release(block, 1));
    });
    let unit = from.recv().expect("a unit");
    let again = release_raw(heap, unit);
    assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
    owner.join().expect("the owner ended");
    settled(heap, units as u64 + 2, units as u64 + 2);
}

/// Catches: a new stack, or a count of it, that is not `Release`.
#[test]
fn growing_stack() {
    model("a stack that grows", 4, || searched(4));
}

/// Catches: units that leave the stack before the lock is had under which they are freed.
#[test]
fn overflowing_stack() {
    model("a stack that overflows", None, || searched(6));
}
