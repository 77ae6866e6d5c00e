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

#[inline(never)]
fn twice(bounds: &Bounds) -> [Vec<usize>; 2] {
    let one = at_depth(3, bounds);
    let other = at_depth(5, bounds);
    [one, other]
}

#[test]
fn walks_do_not_depend_on_earlier_ones() {
    let bounds = Bounds::new();
    let mut all = Vec::new();
    for depth in [0, 10, 4, 30, 4, 10, 0, 100, 70, 4, 100] {
        all.push((depth, at_depth(depth, &bounds)));
        // Another caller, whose frame lies where that of `at_depth` was.
        let [one, other] = twice(&bounds);
        assert_eq!(other.len(), (one.len() + 2).min(64));
    }
    for (depth, found) in &all {
        let (_, first) = all.iter().find(|(same, _)| same == depth).expect("itself");
        assert_eq!(found, first, "{depth}");
    }
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
