//! What must not be done with a block. Each of these is undefined behaviour that a tool reports
//! before, or while, it happens.

use std::alloc::Layout;
use std::hint::black_box;
use std::ptr;

use mm::{MmBox, MmManaged, PageFamily};

#[derive(MmManaged)]
pub(crate) struct Point {
    x: u64,
    y: u64,
}

#[derive(Clone, Copy, MmManaged, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Sheet([u64; 32]);

/// Bytes of a unit that is no multiple of a granule of AddressSanitizer.
const ODD: usize = 12;

pub(crate) fn read_after_release() {
    let point = MmBox::new(Point { x: 1, y: 2 });
    let stale = &raw const point.y;
    drop(point);
    // SAFETY: none; this is the fault.
    black_box(unsafe { stale.read_volatile() });
}

pub(crate) fn write_after_release() {
    let mut point = MmBox::new(Point { x: 1, y: 2 });
    let stale = &raw mut point.x;
    Point::xfree(point);
    // SAFETY: none; this is the fault.
    unsafe { stale.write_volatile(3) };
}

pub(crate) fn row_after_release() {
    let sheets = Sheet::xcalloc(20);
    let stale = &raw const sheets[19].0[31];
    drop(sheets);
    // SAFETY: none; this is the fault.
    black_box(unsafe { stale.read_volatile() });
}

pub(crate) fn large_after_release() {
    let sheets = Sheet::xcalloc(4_000);
    let stale = &raw const sheets[3_999].0[31];
    drop(sheets);
    // SAFETY: none; this is the fault.
    black_box(unsafe { stale.read_volatile() });
}

pub(crate) fn run_time_after_release() {
    let layout = Layout::from_size_align(ODD, 4).expect("a layout");
    let family = PageFamily::register("tools: odd", layout).expect("a new name");
    let units = [(); 3].map(|()| family.alloc_zeroed(1).expect("memory"));
    // SAFETY: live, and used through `stale` alone.
    unsafe { mm::xfree_raw(units[1]) }.expect("live");
    let stale = units[1].cast::<u32>();
    // SAFETY: none; this is the fault.
    black_box(unsafe { stale.read_volatile() });
}

pub(crate) fn past_the_end() {
    let sheets = Sheet::xcalloc(2);
    let end = sheets.as_ptr_range().end.cast::<u64>();
    // SAFETY: none; this is the fault.
    black_box(unsafe { end.read_volatile() });
}

/// Reads a unit that was handed out again: found if mm keeps released blocks back for a while.
pub(crate) fn read_after_reuse() {
    let point = MmBox::new(Point { x: 1, y: 2 });
    let stale = &raw const point.x;
    drop(point);
    let reused = MmBox::new(Point { x: 3, y: 4 });
    // SAFETY: none; this is the fault.
    black_box(unsafe { stale.read_volatile() });
    drop(reused);
}

/// Depends on bytes that nobody wrote, after it depended on zeroed ones.
pub(crate) fn unspecified() {
    let family = PageFamily::register("tools: words", Layout::new::<u64>()).expect("a new name");
    let zeroed = family.alloc_zeroed(1).expect("memory").cast::<u64>();
    // SAFETY: live and zeroed.
    assert_eq!(unsafe { ptr::read_volatile(zeroed.as_ptr()) }, 0);
    let word = family.alloc(1).expect("memory").cast::<u64>();
    // SAFETY: none; this is the fault.
    if unsafe { ptr::read_volatile(word.as_ptr()) } == 0 {
        black_box(word);
    }
}
