//! A program whose only families are registered while it runs.

use mm::Track;
use mm_tests::{OwnedBlock, family};

/// What `main` asks for before the first family holds.
#[test]
fn tracking_asked_for_before_the_first_family_holds() {
    mm::track(Track::All);
    let family = family("first", 8, 8);
    let block = OwnedBlock::new(family, 1);
    let profile = family.profile();
    block.release();
    assert_eq!((profile.every, profile.unrecorded_blocks), (1, 0));
}
