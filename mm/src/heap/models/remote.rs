//! Units of words that another thread owns.

use loom::sync::mpsc;

use crate::heap::family::cache::CacheRecord;
use crate::heap::family::flush_thread;
use crate::heap::models::setting::{OWNED_UNIT, UNIT_OF_TWO_WORDS, User, model, new_heap, settled};
use crate::heap::pages::{Page, spot_of};
use crate::sync::models::spawn;

fn drain_inbox(record: &CacheRecord) {
    record.enter();
    record.drain_inbox();
    record.leave();
}

/// A page whose words a record owns. All its units are taken, and none is in the cache.
fn owned_page() -> (&'static CacheRecord, Page) {
    let user = User::of(new_heap(UNIT_OF_TWO_WORDS));
    let first = user.alloc(1).give_up();
    let (record, page) = (user.cell.cache().expect("a cache"), spot_of(first).page);
    record.hand_out(first, 0, false);
    assert!(page.words().iter().all(|word| word.taken() == u64::MAX));
    (record, page)
}

/// One thread sends words, and one of them again, while the owner collects.
///
/// Catches: the next word read after the bits were taken; bits that are stored where they must be added; a word
/// that is put into a list twice; a list that is emptied without an exchange.
#[test]
fn words_are_sent_and_drained() {
    model("send and drain", 4, || {
        let (record, page) = owned_page();
        let sending = spawn(move || {
            record.heap().send_to_owner(page, 0, 1);
            record.heap().send_to_owner(page, 1, 2);
            record.heap().send_to_owner(page, 1, 4);
        });
        drain_inbox(record);
        drain_inbox(record);
        sending.join().expect("the thread ended");
        drain_inbox(record);
        let taken = [0, 1].map(|word| page.words()[word].taken());
        assert_eq!(taken, [!1, !6]);
        assert_eq!([0, 1].map(|word| page.sent_units(word)), [0, 0]);
    });
}

/// Two threads send bits of one word while the owner collects.
///
/// Catches: the faults of the model above; a store in place of `compare_exchange`.
#[test]
fn two_threads_send_at_once() {
    model("two sends of one word", 3, || {
        let (record, page) = owned_page();
        let send = move |bit| move || record.heap().send_to_owner(page, 0, bit);
        let others = [spawn(send(1)), spawn(send(2))];
        drain_inbox(record);
        for other in others {
            other.join().expect("the thread ended");
        }
        drain_inbox(record);
        assert_eq!(page.words()[0].taken(), !3);
        assert_eq!(page.sent_units(0), 0);
    });
}

/// A thread gives a unit away and ends, while the unit is released and sent to it.
///
/// Catches: a unit that is lost when the owner's inbox is shut; an inbox that is not shut at the end; a thread
/// that frees collected units in words that it gave up.
#[test]
fn a_unit_comes_back_while_its_owner_ends() {
    model("a send to a thread that ends", 3, || {
        let heap = new_heap(OWNED_UNIT);
        let user = User::of(heap);
        let own = user.alloc(1);
        let (to, from) = mpsc::channel();
        let owner = spawn(move || {
            let unit = User::of(heap).alloc(1);
            to.send(unit).expect("the test receives");
        });
        let unit = from.recv().expect("a unit");
        user.release(unit, 1);
        user.cell.cache().expect("a cache").flush_units();
        owner.join().expect("the owner ended");
        user.release(own, 1);
        settled(heap, 2, 2);
    });
}

/// A unit is released by another thread, comes back to its owner, and is handed out again.
///
/// Catches: a unit that is handed out before its release is fully visible; a unit that is found nowhere.
#[test]
fn a_unit_comes_back_and_leaves_again() {
    model("a send to a thread that goes on", 3, || {
        let heap = new_heap(OWNED_UNIT);
        let owner = User::of(heap);
        let [one, other] = [(); 2].map(|()| owner.alloc(1));
        let releasing = spawn(move || {
            User::of(heap).release(one, 1);
            flush_thread();
        });
        let cache = owner.cell.cache().expect("a cache");
        drain_inbox(cache);
        cache.flush_units();
        let again = owner.alloc(1);
        releasing.join().expect("the thread ended");
        owner.release(other, 1);
        owner.release(again, 1);
        flush_thread();
        assert_eq!(settled(heap, 3, 3).cached_units, 0);
    });
}
