//! A family becomes uncached, and cached again, while threads use it.

use core::panic::Location;

use crate::heap::family::cache::CacheRecord;
use crate::heap::ground::Shortage;
use crate::heap::models::setting::{UNIT, User, model, new_heap, settled};
use crate::heap::tracking::Whose;
use crate::sync::models::spawn;

/// Catches: a cache that is filled while the family is uncached; one that stays closed.
#[test]
fn caches_stay_empty_while_a_family_is_tracked() {
    model("tracking on and off", 2, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let first = user.alloc(1);
        let tracking = spawn(|| heap.track(1));
        user.release(first, 1);
        let second = user.alloc(1);
        tracking.join().expect("the other thread ended");
        // This call began later.
        let third = user.alloc(1);
        let cache = user.cell.cache().expect("a cache");
        assert!(!user.cell.is_open() && cache.is_empty());
        let recorded = heap.look_at_tags(Whose::Anybody, |_| ());
        assert!(recorded.blocks >= 1 && recorded.live_blocks == 2);
        user.release(second, 1);
        user.release(third, 1);
        assert!(cache.is_empty());
        assert_eq!(heap.look_at_tags(Whose::Anybody, |_| ()).blocks, 0);
        heap.track(0);
        let last = user.alloc(1);
        user.release(last, 1);
        assert!(
            user.cell.is_open() && !cache.is_empty(),
            "the cache is in use again"
        );
        settled(heap, 4, 4);
    });
}

/// Catches: a cache that is opened by a call that began earlier, and used by later calls.
#[test]
fn no_cache_is_opened_while_a_family_is_tracked() {
    model("a first call while tracking begins", 2, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let tracking = spawn(|| heap.track(1));
        let first = user.alloc(1);
        tracking.join().expect("the other thread ended");
        let second = user.alloc(1);
        user.release(first, 1);
        user.release(second, 1);
        assert!(!user.cell.is_open());
        assert!(user.cell.cache().is_none_or(CacheRecord::is_empty));
        assert_eq!(heap.look_at_tags(Whose::Anybody, |_| ()).blocks, 0);
        settled(heap, 2, 2);
    });
}

/// Catches: a tag that stays when a thread releases the block after it found the family cached.
#[test]
fn a_tag_goes_with_its_block() {
    model("tags and hand-over", 2, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let own = user.alloc(1);
        let tracking = spawn(move || {
            heap.track(1);
            User::of(heap).alloc(1)
        });
        user.release(own, 1);
        let block = tracking.join().expect("the other thread ended");
        user.release(block, 1);
        // It may be the same unit.
        let last = user.alloc(1);
        let recorded = heap.look_at_tags(Whose::Anybody, |_| ());
        assert_eq!((recorded.blocks, recorded.live_blocks), (1, 1));
        user.release(last, 1);
        assert_eq!(heap.look_at_tags(Whose::Anybody, |_| ()).blocks, 0);
        settled(heap, 3, 3);
    });
}

/// Catches: a call that begins after a limit was set, and is served from a cache.
#[test]
fn a_limit_binds_what_begins_later() {
    model("a limit", 2, || {
        let heap = new_heap(UNIT);
        let user = User::of(heap);
        let [first, second] = [(); 2].map(|()| user.alloc(1));
        let limiting = spawn(|| heap.set_limit(0));
        user.release(first, 1);
        limiting.join().expect("the other thread ended");
        assert!(user.cell.take(UNIT, true).is_none());
        let refused = heap.alloc(user.cell, 1, &Location::caller());
        assert!(matches!(
            refused,
            Err(Shortage::OverLimit { limit_bytes: 0 })
        ));
        user.release(second, 1);
        settled(heap, 2, 2);
    });
}
