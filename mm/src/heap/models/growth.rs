//! A stack that grows while other threads read its count, and look for a unit there.

use crate::heap::ground::Refusal;
use crate::heap::models::setting::{UNIT, User, model, new_heap, release_raw, settled};
use crate::sync::models::{Owned, spawn};

/// A thread whose stack is full, and a unit that makes it grow.
fn full_stack() -> (User<'static>, Owned, Owned) {
    let user = User::of(new_heap(UNIT));
    let [hot, stacked, live] = [(); 3].map(|()| user.alloc(1));
    user.release(hot, 1);
    (user, stacked, live)
}

/// Catches: a count, or a stack, that is not `Release`, or not loaded with `Acquire`; a new stack without the
/// units of the old one.
#[test]
fn a_unit_is_found_on_a_growing_stack() {
    model("a stack that grows", 2, || {
        let (user, stacked, live) = full_stack();
        let unit = stacked.give_up();
        user.release_again(unit, 1);
        let releasing = spawn(move || release_raw(user.heap, unit));
        user.release(live, 1);
        let newest = user.alloc(1);
        user.release(newest, 1);
        let again = releasing.join().expect("the thread ended");
        assert!(matches!(again, Err(Refusal::NotLive)), "{again:?}");
        settled(user.heap, 4, 4);
    });
}

/// Catches: a count or a stack without `Release` or `Acquire`, as in the model above; a unit that counts on
/// both stacks.
#[test]
fn figures_of_a_growing_stack() {
    model("figures of a stack that grows", 2, || {
        let (user, stacked, live) = full_stack();
        user.release(stacked, 1);
        let reading = spawn(move || user.heap.figures());
        user.release(live, 1);
        let newest = [(); 2].map(|()| user.alloc(1));
        newest.into_iter().for_each(|unit| user.release(unit, 1));
        let figures = reading.join().expect("the thread ended");
        assert!(figures.blocks_allocated >= 3 && figures.blocks_released <= 5);
        settled(user.heap, 5, 5);
    });
}
