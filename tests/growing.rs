//! Large blocks of the global allocator that grow: in their place, or by a move without a copy.

use std::hint::black_box;

use mm_tests::{in_a_child, is_child_with};

// With the feature, the library of the tests has it.
#[cfg_attr(not(feature = "global"), global_allocator)]
static HEAP: mm::Global = mm::Global::new();

const MIB: usize = 1 << 20;

/// Adds numbers to a vector until it has `bytes` bytes.
fn extend(numbers: &mut Vec<u64>, bytes: usize) {
    while numbers.len() * 8 < bytes {
        numbers.push(numbers.len() as u64);
    }
}

fn check(numbers: &[u64]) {
    assert!((0..).zip(numbers).all(|(at, number)| at == *number));
    mm::check().expect("what mm keeps is right");
}

fn live_bytes() -> u64 {
    let snapshot = mm::snapshot();
    let large = snapshot.family("(untyped large)");
    large.map_or(0, |large| large.live_bytes)
}

#[test]
fn vectors_that_grow_by_turns_keep_their_contents() {
    if !is_child_with("vectors_that_grow_by_turns_keep_their_contents", "") {
        return;
    }
    let before = live_bytes();
    for most in [64, 40] {
        let mut vectors = [Vec::new(), Vec::new(), Vec::new()];
        for mib in 1..=most {
            for vector in &mut vectors {
                extend(vector, mib * MIB);
            }
        }
        vectors.iter().for_each(|vector| check(vector));
        let bytes: usize = vectors.iter().map(|vector| vector.capacity() * 8).sum();
        assert_eq!(live_bytes() - before, bytes as u64);
        vectors.iter_mut().for_each(Vec::shrink_to_fit);
        vectors.iter().for_each(|vector| check(vector));
        let zeros = vec![0_u64; 3 * MIB];
        assert!(zeros.iter().all(|number| *number == 0));
        drop(vectors);
        mm::trim();
        let zeros = vec![0_u64; 20 * MIB];
        assert!(zeros.iter().all(|number| *number == 0));
    }
    assert_eq!(live_bytes(), before);
}

#[test]
fn the_heap_s_limit_counts_a_moved_block_once() {
    if !is_child_with("the_heap_s_limit_counts_a_moved_block_once", "") {
        return;
    }
    let before = mm::held_bytes();
    let mut vectors = [Vec::new(), Vec::new()];
    for mib in [1, 3, 7, 20] {
        vectors
            .iter_mut()
            .for_each(|vector| extend(vector, mib * MIB));
    }
    mm::trim();
    let held = mm::held_bytes() - before;
    let capacity: usize = vectors.iter().map(|vector| vector.capacity() * 8).sum();
    // Beside the vectors, what the process needs anyway, and rounding.
    assert!(
        held.abs_diff(capacity as u64) < 3 << 20,
        "{held}, {capacity}"
    );
    // No room for one more of the doubled length.
    mm::set_limit(mm::held_bytes() + MIB as u64);
    let refused = vectors[0].try_reserve(40 * MIB).is_err();
    mm::set_limit(None);
    assert!(refused);
    vectors.iter().for_each(|vector| check(vector));
    extend(&mut vectors[0], 50 * MIB);
    vectors.iter().for_each(|vector| check(vector));
    drop(vectors);
    mm::trim();
    assert!(mm::held_bytes() < before + 3 * MIB as u64);
}

#[test]
fn a_move_counts_as_a_block_and_growth_in_place_does_not() {
    if !is_child_with("a_move_counts_as_a_block_and_growth_in_place_does_not", "") {
        return;
    }
    for _ in 0..20 {
        let mut grows = vec![1_u8; 2 * MIB];
        let behind = black_box(vec![1_u8; 2 * MIB]);
        let first = grows.as_ptr();
        let ((), counted) = mm::allocations(|| grows.reserve_exact(3 * MIB)).expect("mm allocates");
        let blocks = u64::from(grows.as_ptr() != first);
        assert_eq!(
            (counted.blocks_allocated, counted.blocks_released),
            (blocks, blocks)
        );
        let more = counted.bytes_allocated - counted.bytes_released;
        assert_eq!(more, 3 * MIB as u64);
        drop(behind);
    }
}

#[test]
fn a_forked_child_has_a_copy_of_a_moved_block() {
    if !is_child_with("a_forked_child_has_a_copy_of_a_moved_block", "") {
        return;
    }
    let mut vectors = [Vec::new(), Vec::new()];
    vectors
        .iter_mut()
        .for_each(|vector| extend(vector, 5 * MIB));
    let status = in_a_child(|| {
        for vector in &mut vectors {
            extend(vector, 30 * MIB);
            check(vector);
            vector.fill(7);
        }
        vectors.iter_mut().for_each(|vector| *vector = Vec::new());
        mm::trim();
        i32::from(mm::check().is_err())
    });
    assert!(status.success(), "{status}");
    vectors.iter().for_each(|vector| check(vector));
    vectors
        .iter_mut()
        .for_each(|vector| extend(vector, 30 * MIB));
    vectors.iter().for_each(|vector| check(vector));
}
