//! Of a program whose only families are registered while it runs.

use std::alloc::Layout;

use mm::{PageFamily, Track};

/// What `main` asks for before the first family holds.
#[test]
fn tracking_asked_for_before_the_first_family_holds() {
    mm::track(Track::All);
    let family = PageFamily::register("first", Layout::new::<u64>()).expect("a new name");
    let block = family.alloc(1).expect("memory");
    let profile = family.profile();
    // SAFETY: live and ours.
    unsafe { family.release(block) }.expect("live");
    assert_eq!((profile.every, profile.unrecorded_blocks), (1, 0));
}
