//! Memory of malloc that blocks of mm lead to, and blocks that nothing leads to.

use std::hint::black_box;
use std::thread;

use mm::{MmBox, MmManaged};

/// How many of each.
const COUNT: usize = 100;

/// Leads to memory of malloc, without giving it back.
#[derive(MmManaged)]
struct Lead(*mut [u64; 100]);

impl Lead {
    fn new() -> MmBox<Self> {
        MmBox::new(Self(Box::into_raw(Box::new([7; 100]))))
    }
}

/// What live blocks lead to is no leak.
pub(crate) fn reached_by_live() {
    elsewhere(|| {
        (0..COUNT).for_each(|_| {
            black_box(MmBox::leak(Lead::new()));
        });
    });
}

/// What only released blocks lead to is one.
pub(crate) fn reached_by_released() {
    elsewhere(|| {
        let leads: Vec<_> = (0..COUNT).map(|_| Lead::new()).collect();
        drop(black_box(leads));
    });
}

/// Blocks that nobody has any more.
pub(crate) fn forgotten() {
    elsewhere(|| {
        (0..COUNT).for_each(|_| {
            black_box(MmBox::leak(Lead::new()).0);
        });
    });
}

/// On a thread, so that no address stays behind on a stack or in a register.
fn elsewhere(work: fn()) {
    thread::spawn(work).join().expect("does not panic");
}
