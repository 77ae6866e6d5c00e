//! Families get their numbers.

use crate::heap::models::setting::{UNIT, model, new_heap};
use crate::sync::models::spawn;

/// Catches: a number that is stored where it must be exchanged for 0.
#[test]
fn numbers() {
    model("numbers of families", 2, || {
        let (one, other) = (new_heap(UNIT), new_heap(UNIT));
        let asking = spawn(move || [one.number(), other.number()]);
        let asking_too = spawn(move || {
            let second = other.number();
            [one.number(), second]
        });
        let numbers = [one.number(), other.number()];
        assert_ne!(numbers[0], numbers[1]);
        assert_eq!(asking.join().expect("the thread ended"), numbers);
        assert_eq!(asking_too.join().expect("the thread ended"), numbers);
    });
}
