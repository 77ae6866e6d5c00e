use core::panic::Location;
use std::sync::Mutex;

use super::*;
use crate::heap::tracking::{Caller, names};
use crate::os::unwind;

/// One of the tests takes all the room.
static ALONE: Mutex<()> = Mutex::new(());

fn request(thread: &'static str, frames: &[usize]) -> AllocRequest {
    AllocRequest {
        origin: Location::caller().origin(),
        thread,
        scope: 0,
        frames: unwind::Frames::of(frames),
        now: 0,
    }
}

fn depth(place: &AtomicPtr<Site>) -> usize {
    // SAFETY: `place` is a pointer of the test's sites, which by invariant 1 of `Sites` is null or leads
    // to a site that stays until `forget`.
    let site = unsafe { place.load(Relaxed).as_ref() };
    let deepest = site.map(|site| site.branches.iter().map(depth).max());
    deepest.map_or(0, |deepest| 1 + deepest.unwrap_or_default())
}

#[test]
fn sites_without_room_are_counted_as_one() {
    const STACKS: u64 = 200_000;
    let _alone = ALONE.lock();
    let (mut sites, mut apart) = (Sites::new(), 0);
    for stack in (0x1000..).step_by(16).zip(0..STACKS) {
        let request = request("", &[stack.0; 20]);
        let site = sites.of(&request).expect("memory");
        site.account_recorded(2);
        apart += u64::from(site.frames().len() == 20);
    }
    // Other tests may use some of the room meanwhile.
    let bytes = apart * (size_of::<Site>() + 20 * size_of::<usize>()) as u64;
    assert!((8 << 20..12 << 20).contains(&bytes), "{bytes} of {apart}");
    let (count, others) = (sites.iter().count() as u64, sites.other.expect("full"));
    assert_eq!(count, apart + 1);
    let figures = others.figures();
    let recorded = (figures.blocks, figures.units);
    assert_eq!(recorded, (STACKS - apart, 2 * (STACKS - apart)));
    // A known site is still found.
    let first = sites.of(&request("", &[0x1000; 20])).expect("memory");
    assert_eq!((first.figures().blocks, first.frames()[0]), (1, 0x1000));
    // SAFETY: the test set no tag, so that none leads to a site of `sites`.
    unsafe { sites.forget() };
    assert_eq!((others.figures().blocks, sites.is_empty()), (0, true));
    let again = sites.of(&request("", &[0x1000; 20])).expect("memory");
    assert_eq!(again.frames().len(), 20);
    // SAFETY: the test set no tag, so that none leads to a site of `sites`.
    unsafe { sites.forget() };
}

#[test]
fn threads_at_one_place_are_spread() {
    let _alone = ALONE.lock();
    let mut sites = Sites::new();
    for number in 0..1_000 {
        let request = request(names::kept_thread(&format!("worker {number}")), &[]);
        let new = ptr::from_ref(sites.of(&request).expect("memory"));
        assert!(ptr::eq(new, sites.of(&request).expect("memory")));
    }
    assert_eq!(sites.iter().count(), 1_000);
    let deepest = depth(&sites.root);
    assert!(deepest < 16, "{deepest}");
    // SAFETY: the test set no tag, so that none leads to a site of `sites`.
    unsafe { sites.forget() };
    assert!(sites.is_empty());
}
