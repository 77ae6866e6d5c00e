//! A thread ends: its caches are flushed and closed, and other threads may get them.

use core::sync::atomic::Ordering::Relaxed;
use std::rc::Rc;

use crate::heap::models::setting::{UNIT, User, model, new_heap, release_raw, settled};
use crate::heap::models::snapshot::{Done, Owner, read};
use crate::heap::walk::Figures;
use crate::sync::models::{end_thread, spawn};

/// Catches: counts taken over without the lock; a record that is free before it is empty; a hot slot that keeps
/// its unit after a flush.
#[test]
fn exit_and_successor() {
    model("thread exit", 1, || {
        let (heap, done) = (new_heap(UNIT), Rc::new(Done::default()));
        let owner = || Owner {
            user: User::of(heap),
            done: Rc::clone(&done),
        };
        let (leaves, follows) = (owner(), owner());
        let leaving = spawn(move || {
            let (one, other) = (leaves.alloc(1), leaves.alloc(1));
            leaves.release(one, 1);
            other
        });
        let one = follows.alloc(1);
        let before = read(heap, &done, 1, &Figures::default());
        follows.release(one, 1);
        let left = leaving.join().expect("the thread ended");
        done.released.update(|count| count + 1);
        release_raw(heap, left.give_up()).expect("a live unit");
        read(heap, &done, 0, &before);
        settled(heap, 3, 3);
    });
}

/// Catches: a cell that still leads to a record that was closed.
#[test]
fn release_after_exit() {
    model("a release after the thread's cache was closed", 2, || {
        let (heap, done) = (new_heap(UNIT), Rc::new(Done::default()));
        let owner = Owner {
            user: User::of(heap),
            done: Rc::clone(&done),
        };
        let ending = spawn(move || {
            let (one, other) = (owner.alloc(1), owner.alloc(1));
            owner.release(one, 1);
            end_thread();
            // Like a destructor that runs late.
            owner.release(other, 1);
            let last = owner.alloc(1);
            owner.release(last, 1);
        });
        // This thread may have the record now.
        let user = User::of(heap);
        let one = user.alloc(1);
        user.release(one, 1);
        ending.join().expect("the thread ended");
        settled(heap, 4, 4);
    });
}

/// Catches: the thread's next record read after another thread can get this one.
#[test]
fn exit_with_two_caches() {
    model("exit of a thread with two caches", 1, || {
        let heaps = [new_heap(UNIT), new_heap(UNIT)];
        let work = move || {
            let users = heaps.map(User::of);
            let units = users.map(|user| user.alloc(1));
            for (user, unit) in users.into_iter().zip(units) {
                user.release(unit, 1);
            }
        };
        // A thread may get a record of the other, when the other has closed one and not yet the second.
        let leaving = spawn(work);
        work();
        leaving.join().expect("the thread ended");
        end_thread();
        for heap in heaps {
            assert_eq!(settled(heap, 2, 2).cached_units, 0);
        }
    });
}

/// Catches: a record that is free before it is empty.
#[test]
fn cells_by_number() {
    model("cells of a table that another thread had", 2, || {
        let heap = new_heap(UNIT);
        // All executions use the same place of a table.
        heap.number.store(1, Relaxed);
        let work = move || {
            heap.with_cell(|cell| {
                let cell = cell.expect("memory for a cell");
                let user = User { heap, cell };
                let unit = user.alloc(1);
                user.release(unit, 1);
            });
        };
        let leaving = spawn(work);
        work();
        leaving.join().expect("the thread ended");
        end_thread();
        assert_eq!(settled(heap, 2, 2).cached_units, 0);
    });
}
