//! Calls to AddressSanitizer and LeakSanitizer: which memory is poisoned, and where to search.
//!
//! Source: `sanitizer/asan_interface.h` and `sanitizer/lsan_interface.h` of LLVM.
//!
//! # Granules of 8 bytes
//!
//! The tool keeps one byte of shadow for 8 bytes of memory, which says how many of them, from the first
//! on, may be used. If two blocks share a granule, the bytes of the first can be allowed without those of
//! the second, but not the reverse. So mm forbids only bytes that no neighbouring block needs: live bytes
//! are never forbidden, and all granules that lie entirely in a released block are.
//!
//! The shadow of such a granule is read before it is changed. Two threads with neighbouring blocks could
//! undo each other's change, so a lock serialises them.

use core::ffi::c_void;
use core::ptr::NonNull;

use crate::os::Lock;

/// Bytes that share one byte of shadow.
const GRANULE: usize = 8;

/// Held while a granule that blocks may share changes.
pub(super) static EDGES: Lock<()> = Lock::new(());

/// Takes the first of some bytes, and how many.
type OfRegion = unsafe extern "C" fn(*const c_void, usize);

/// The address of a function of the sanitizer's runtime, or none in a program that has no such
/// runtime. Plain declarations would make that program fail to link, and `cargo test
/// --all-features` with it.
macro_rules! of_runtime {
    ($function:literal) => {{
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        let address = {
            let address: usize;
            // SAFETY: `mov` reads a word of the table of addresses, which the linker or the loader
            // filled: for a weak symbol that no file defines, with 0.
            unsafe {
                core::arch::asm!(
                    concat!(".weak ", $function),
                    concat!("mov {}, qword ptr [rip + ", $function, "@GOTPCREL]"),
                    out(reg) address,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            address
        };
        #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
        let address = {
            let address: usize;
            // SAFETY: `ldr` reads a word of the table of addresses, which the linker or the loader
            // filled: for a weak symbol that no file defines, with 0.
            unsafe {
                core::arch::asm!(
                    concat!(".weak ", $function),
                    concat!("adrp {0}, :got:", $function),
                    concat!("ldr {0}, [{0}, :got_lo12:", $function, "]"),
                    out(reg) address,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            address
        };
        #[cfg(not(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        )))]
        let address = 0_usize;
        // SAFETY: `address` is 0, which is `None`, or that of the function of the runtime, which the
        // sanitizer's header declares as `OfRegion` is.
        unsafe { core::mem::transmute::<usize, Option<OfRegion>>(address) }
    }};
}

pub(super) fn forbid(first: NonNull<u8>, bytes: usize) {
    change(of_runtime!("__asan_poison_memory_region"), first, bytes);
}

pub(super) fn allow(first: NonNull<u8>, bytes: usize) {
    change(of_runtime!("__asan_unpoison_memory_region"), first, bytes);
}

pub(super) fn search(first: NonNull<u8>, bytes: usize) {
    call(of_runtime!("__lsan_register_root_region"), first, bytes);
}

/// Calls a function that changes the shadow of `bytes` bytes.
fn change(function: Option<OfRegion>, first: NonNull<u8>, bytes: usize) {
    let is_whole = first.addr().get().is_multiple_of(GRANULE) && bytes.is_multiple_of(GRANULE);
    let _edges = (!is_whole).then(|| EDGES.lock());
    call(function, first, bytes);
}

fn call(function: Option<OfRegion>, first: NonNull<u8>, bytes: usize) {
    if let Some(function) = function {
        // SAFETY: the sanitizer's header lets a `function` of this type be called with any bytes of the
        // program: it changes what the tool knows of them, and no byte of them.
        unsafe { function(first.as_ptr().cast(), bytes) };
    }
}
