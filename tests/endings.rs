//! Releases late in a thread's or process's life: after the thread's locals, at exit, and after a fork.

use std::cell::RefCell;
use std::sync::Mutex;
use std::thread;

use mm::{MmBox, MmManaged};
use mm_tests::{again, in_a_child, is_child, snapshot_of};

#[derive(MmManaged)]
struct Late(u64);

fn live() -> u64 {
    snapshot_of(Late::page_family()).live_blocks
}

/// Boxes that go with the thread's locals; some before mm's own local, some after.
struct Locals(RefCell<Vec<MmBox<Late>>>);

impl Drop for Locals {
    fn drop(&mut self) {
        for one in self.0.take() {
            assert_eq!(one.0, 7);
        }
        // Allocating is fine here too.
        drop(MmBox::new(Late(1)));
    }
}

thread_local! {
    static FIRST: Locals = const { Locals(RefCell::new(Vec::new())) };
    static LAST: Locals = const { Locals(RefCell::new(Vec::new())) };
}

/// The tests share the family, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn boxes_in_thread_locals_are_released() {
    let _turn = TURN.lock();
    let before = live();
    for _ in 0..20 {
        let thread = thread::spawn(|| {
            // Registered before anything of mm, so dropped after it.
            FIRST.with(|boxes| boxes.0.borrow_mut().clear());
            let mut some: Vec<_> = (0..100).map(|_| MmBox::new(Late(7))).collect();
            LAST.with(|boxes| boxes.0.borrow_mut().extend(some.split_off(50)));
            FIRST.with(|boxes| *boxes.0.borrow_mut() = some);
        });
        thread.join().expect("no panic");
    }
    assert_eq!(live(), before);
    Late::page_family()
        .check()
        .expect("the walker finds the same");
}

#[test]
fn boxes_are_released_at_exit() {
    static KEPT: Mutex<Vec<MmBox<Late>>> = Mutex::new(Vec::new());

    extern "C" fn at_exit() {
        let before = live();
        KEPT.lock().expect("one thread").clear();
        println!("at exit: {before} live, then {}", live());
    }

    if let Some(output) = again("boxes_are_released_at_exit", |_| ()) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("at exit: 30 live, then 0"));
        return;
    }
    // SAFETY: the function neither unwinds nor returns a value.
    assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
    KEPT.lock()
        .expect("one thread")
        .extend((0..30).map(|_| MmBox::new(Late(7))));
}

#[test]
fn a_forked_child_goes_on() {
    // In a process of its own, where no other test allocates.
    if !is_child("a_forked_child_goes_on", |_| ()) {
        return;
    }
    let mut boxes: Vec<_> = (0..1_000).map(|_| MmBox::new(Late(7))).collect();
    let status = in_a_child(|| {
        let boxes = std::mem::take(&mut boxes);
        let whole = boxes.iter().all(|one| one.0 == 7);
        drop(boxes);
        let more: Vec<_> = (0..1_000).map(|_| MmBox::new(Late(8))).collect();
        let fine = whole && live() == 1_000 && Late::page_family().check().is_ok();
        drop(more);
        i32::from(!fine || live() != 0)
    });
    assert!(status.success(), "{status}");
    assert_eq!(live(), 1_000);
    drop(boxes);
    assert_eq!(live(), 0);
}
