//! AddressSanitizer knows granules of 8 bytes. Of units that lie in them anyhow no live byte may
//! be forbidden, and every granule must be that lies in a released block whole.

use std::alloc::Layout;
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::NonNull;
use std::thread;

use fastrand::Rng;
use mm::{MmBox, MmManaged, PageFamily};

/// Bytes that the tool forbids and allows together.
const GRANULE: usize = 8;

/// Size and alignment of the units of one family.
const UNITS: [(usize, usize); 6] = [(36, 4), (12, 4), (5, 1), (1, 1), (3, 1), (48, 8)];

unsafe extern "C" {
    /// Of the tool: not 0 if the byte is forbidden.
    safe fn __asan_address_is_poisoned(byte: *const c_void) -> i32;
}

pub(crate) fn all() {
    UNITS.into_iter().for_each(one_thread);
    neighbours();
}

fn one_thread((size, align): (usize, usize)) {
    let layout = Layout::from_size_align(size, align).expect("a layout");
    let name = format!("tools: {size}");
    let family = PageFamily::register(&name, layout).expect("a new name");
    let mut random = Rng::with_seed(size as u64);
    let mut live: Vec<Bytes> = Vec::new();
    for step in 0..20_000 {
        if random.usize(..600) >= live.len() {
            let units = [1, 1, 1, 2, 7, 40][random.usize(..6)];
            let first = family.alloc(units).expect("memory");
            live.push(Bytes(first, units * size));
        } else {
            let index = random.usize(..live.len());
            release(family, live.swap_remove(index));
        }
        if step % 100 == 0 {
            live.iter().for_each(|block| assert!(block.is_allowed()));
        }
    }
}

fn release(family: &'static PageFamily, block: Bytes) {
    // SAFETY: live, and used by nobody else.
    unsafe { family.release(block.0) }.expect("live");
    assert!(block.is_forbidden());
}

/// A block's start, and how many bytes it has.
#[derive(Clone, Copy, Debug)]
struct Bytes(NonNull<u8>, usize);

impl Bytes {
    fn is_allowed(self) -> bool {
        let Self(first, count) = self;
        (0..count).all(|byte| !is_forbidden(first.addr().get() + byte))
    }

    /// Whether all is that can be.
    fn is_forbidden(self) -> bool {
        let Self(first, count) = self;
        let start = first.addr().get().next_multiple_of(GRANULE);
        let end = (first.addr().get() + count) / GRANULE * GRANULE;
        (start..end).all(is_forbidden)
    }
}

fn is_forbidden(address: usize) -> bool {
    __asan_address_is_poisoned(std::ptr::without_provenance(address)) != 0
}

/// Units that end in the middle of a granule.
#[derive(Clone, Copy, MmManaged, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Odd([u8; 141]);

/// Units of a row: so many that the tool is busy for a while between its look at the granules at
/// both ends and what it writes there.
const ROW: usize = 201;

/// Two threads release and allocate rows side by side over and over. What one does to the granule
/// that they share must not undo what the other did: the tool would report the next use.
fn neighbours() {
    let workers = [(); 2]
        .map(|()| Odd::xcalloc(ROW))
        .map(|row| thread::spawn(|| replace(row)));
    workers
        .into_iter()
        .for_each(|worker| worker.join().expect("no worker panics"));
}

fn replace(mut row: MmBox<[Odd]>) {
    for _ in 0..200_000 {
        drop(row);
        // The same row again: the one that the thread released last.
        row = Odd::xcalloc(ROW);
        black_box((row[0].0, row[ROW - 1].0));
    }
}
