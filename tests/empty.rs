//! A program without any family: reports before anything is registered, allocation without init.

use std::alloc::Layout;

use mm::PageFamily;

#[test]
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

    let first = PageFamily::register("first", Layout::new::<u64>()).expect("a new name");
    let block = first.alloc_zeroed(3).expect("memory");
    assert_eq!(
        mm::snapshot().family("first").expect("listed").live_units,
        3
    );
    // SAFETY: the block is live and ours.
    unsafe { first.release(block) }.expect("live");
}
