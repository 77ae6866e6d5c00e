//! The families of untyped blocks: one for each size class, and one for large blocks.

use core::alloc::Layout;

use super::class::{self, CLASSES, Class};
use crate::family::PageFamily;
use crate::heap::CacheCell;

/// Makes a family for each unit that is listed, and checks that they are the classes.
macro_rules! families {
    ($($unit:literal)+) => {
        /// The families by class.
        static FAMILIES: [PageFamily; CLASSES] = families_of([
            $((concat!("(untyped ", stringify!($unit), ")"), $unit),)+
        ]);
    };
}

families! {
    8 16 24 32 40 48 56 64 80 96 112 128 144 160 176 192 208 224 240 256 288 320 352 384 416 448
    480 512 576 640 704 768 832 896 960 1024 1152 1280 1408 1536 1664 1792 1920 2048 2304 2560 2816
    3072 3328 3584 3840 4096 4608 5120 5632 6144 6656 7168 7680 8192 9216 10240 11264 12288 13312
    14336 15360 16384 18432 20480 22528 24576 26624 28672 30720 32768 36864 40960 45056 49152 53248
    57344 61440 65536
}

/// Large blocks: a row of units of one byte each, longer than a VM page.
pub(super) static LARGE: PageFamily = PageFamily::untyped("(untyped large)", Layout::new::<u8>());

std::thread_local! {
    /// The calling thread's cells by class.
    static CELLS: [CacheCell; CLASSES] = const { [const { CacheCell::new() }; CLASSES] };
}

// A thread-local without a destructor exists until its thread ends.
const _: () = assert!(!core::mem::needs_drop::<CacheCell>());

/// The calling thread's cell of a class.
///
/// # Safety
///
/// 1. The reference goes to no other thread, and is not kept beyond the caller's own call.
#[allow(
    clippy::inline_always,
    reason = "an address, and the start of the hot path"
)]
#[inline(always)]
pub(super) unsafe fn cell<'a>(class: Class) -> &'a CacheCell {
    let cell = CELLS.with(|cells| core::ptr::from_ref(&cells[class.number()]));
    // SAFETY: `CELLS` has no destructor, so the cell exists for as long as the thread; by requirement 1 only this
    // thread uses it.
    unsafe { &*cell }
}

/// What `f` says of each of the calling thread's cells.
pub(super) fn cells<R>(f: impl Fn(&CacheCell) -> R) -> impl Iterator<Item = R> {
    (0..CLASSES).map(move |class| CELLS.with(|cells| f(&cells[class])))
}

/// The family of a class.
pub(super) fn family(class: Class) -> &'static PageFamily {
    &FAMILIES[class.number()]
}

/// All families of untyped blocks.
pub(super) fn all() -> impl Iterator<Item = &'static PageFamily> {
    FAMILIES.iter().chain([&LARGE])
}

/// Makes the families of a list of names and units.
const fn families_of<const N: usize>(units: [(&'static str, usize); N]) -> [PageFamily; N] {
    let mut families = [const { core::mem::MaybeUninit::uninit() }; N];
    let mut class = 0;
    while class < N {
        let (name, unit) = units[class];
        assert!(
            unit == class::unit(class),
            "the list has every class once, in order"
        );
        families[class].write(PageFamily::untyped(name, class::layout(class)));
        class += 1;
    }
    // SAFETY: the loop above wrote `families`, each of them.
    unsafe { core::mem::transmute_copy(&families) }
}
