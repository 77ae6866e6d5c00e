//! Tests with a kernel that reports success without doing the work.

use core::alloc::Layout;

use super::{family_of, sequence};
use crate::family::PageFamily;
use crate::os::lies::{Lie, lying};

#[test]
fn memory_that_was_not_discarded_is_not_taken_for_zero() {
    let family = family_of("lies-discard", 36);
    let layout = Layout::from_size_align(3 << 20, 8).expect("a layout");
    let large = PageFamily::register("lies-large", layout).expect("a new name");
    lying(Lie::DISCARD, || {
        assert_eq!(sequence(family), 0);
        for _ in 0..3 {
            let block = large.alloc_zeroed(11).expect("memory");
            // SAFETY: `alloc_zeroed` gave the block, which has more bytes.
            unsafe { block.cast::<[u8; 64]>().write([7; 64]) };
            // SAFETY: `alloc_zeroed` gave the block, which the test does not use any more.
            unsafe { large.release(block) }.expect("live");
            let figures = large.figures();
            assert_eq!(figures.reclaimable, 0, "nothing would go back");
            assert_eq!(large.trim(), 0, "nothing was given back");
            let again = large.alloc_zeroed(11).expect("memory");
            // SAFETY: `alloc_zeroed` gave the block, which has more bytes.
            let head = unsafe { again.cast::<[u8; 64]>().read() };
            assert_eq!(head, [0; 64]);
            // SAFETY: `alloc_zeroed` gave the block, which the test does not use any more.
            unsafe { large.release(again) }.expect("live");
        }
    });
    large.check().expect("the walker finds the same");
    assert!(large.trim() > 0, "this kernel takes it");
}
