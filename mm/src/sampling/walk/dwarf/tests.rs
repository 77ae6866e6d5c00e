//! Walks of this test's own stack.

use super::bounds::Bounds;
use super::with_stack;

#[inline(never)]
fn at_depth(depth: usize, bounds: &Bounds) -> Vec<usize> {
    let found = match depth {
        0 => with_stack(bounds, <[usize]>::to_vec),
        _ => at_depth(depth - 1, bounds),
    };
    std::hint::black_box(found)
}

#[test]
fn the_addresses_are_those_of_the_callers() {
    let bounds = Bounds::new();
    let shallow = at_depth(0, &bounds);
    let deep = at_depth(20, &bounds);
    assert_eq!(deep.len(), shallow.len() + 20, "{shallow:x?} {deep:x?}");
    // All frames of the recursion return to one place.
    assert!(deep[2..20].iter().all(|address| *address == deep[1]));
    // The frames below the recursion are the same, but for the call from here.
    assert_eq!(deep[22..], shallow[2..]);
}

#[test]
fn a_stack_of_the_programs_own_is_not_known() {
    let bounds = Bounds::new();
    std::thread::scope(|scope| {
        let (low, end) = bounds.get();
        scope.spawn(move || {
            let other = Bounds::new();
            assert_ne!(other.get(), (low, end));
            other.set_for_test((low, end));
            // The stack pointer is not in the bounds, as on an alternate stack.
            assert!(at_depth(3, &other).is_empty());
        });
    });
}
