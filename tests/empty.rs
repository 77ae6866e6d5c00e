//! A program without any family: reports before anything is registered, allocation without init.

use mm_tests::{OwnedBlock, family};

#[test]
#[cfg_attr(feature = "global", ignore = "the harness has allocated")]
fn reports_of_nothing_then_the_first_family() {
    mm::print_registered_page_families();
    mm::print_memory_usage(None);
    mm::print_block_usage();
    let nothing = mm::snapshot();
    assert!(nothing.families.is_empty());
    assert!(
        nothing
            .page_families()
            .to_string()
            .starts_with("0 page families")
    );
    assert_eq!((mm::families().count(), mm::trim()), (0, 0));
    mm::check().expect("nothing is consistent");

    let first = family("first", 8, 8);
    let block = OwnedBlock::zeroed(first, 3);
    assert_eq!(
        mm::snapshot().family("first").expect("listed").live_units,
        3
    );
    block.release();
}
