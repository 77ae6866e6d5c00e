//! Families list themselves at first use.

use core::alloc::Layout;
use core::ptr;

use super::PageFamily;
use crate::family;
use crate::heap::models::model;
use crate::snapshot::Location;
use crate::sync::models::spawn;

/// A family that is not on the list yet.
fn new_family(name: &'static str) -> &'static PageFamily {
    let location = Location::new(file!(), line!(), column!(), "");
    let family = PageFamily::run_time(name, Layout::new::<u64>(), location);
    Box::leak(Box::new(family))
}

/// Lists a family, and finds it on the list once, as on every list of a name.
fn list(family: &'static PageFamily, last: &'static PageFamily) -> usize {
    family.list();
    assert_eq!(times_listed(family, last), 1);
    family.number()
}

/// Returns how often the family is on the list. The list must end with `last`.
fn times_listed(family: &'static PageFamily, last: &'static PageFamily) -> usize {
    let mut times = 0;
    for listed in family::listed() {
        if ptr::eq(listed, last) {
            return times;
        }
        times += usize::from(ptr::eq(listed, family));
    }
    panic!("the list has an end that was not there");
}

/// Finds these mistakes:
///
/// - A family is listed twice, because the lock or the second check under it is missing.
/// - A family becomes the newest before its link is set.
/// - `listed` is set before the family is on the list.
/// - A link or `listed` is accessed without `Release` or `Acquire`.
#[test]
fn first_use() {
    model("first use of families", 4, || {
        // Families of earlier executions come after it.
        let last = new_family("last");
        last.list();
        let (one, other) = (new_family("one"), new_family("other"));
        let first = spawn(move || list(one, last));
        let second = spawn(move || (list(one, last), list(other, last)));
        let seen = [one, other].map(|family| times_listed(family, last));
        assert!(seen.iter().all(|times| *times <= 1));
        let number = first.join().expect("the thread ended");
        let (same, another) = second.join().expect("the thread ended");
        assert_eq!((one.number(), other.number()), (number, another));
        assert!(number == same && number != another);
        assert_eq!(
            [one, other].map(|family| times_listed(family, last)),
            [1, 1]
        );
    });
}
