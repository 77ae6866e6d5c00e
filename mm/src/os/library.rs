//! Whether this code is part of a shared library, and how that library stays loaded.

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Keeps the shared library that this code is in, if it is in one, from being unloaded.
///
/// If it were unloaded and loaded again, it would reserve new addresses each time, and blocks from before
/// could never be released.
pub(crate) fn stay_loaded() {
    static STAYS: AtomicBool = AtomicBool::new(false);
    if STAYS.load(Relaxed) || STAYS.swap(true, Relaxed) {
        return;
    }
    if let Some(name) = own_library() {
        // SAFETY: `own_library` gave the loader's own name, which ends with a zero byte. `RTLD_NOLOAD` in
        // `HOW` loads nothing whose constructors would run. The handle is never closed.
        unsafe { libc::dlopen(name, HOW) };
    }
}

/// Source: dlopen(3).
const HOW: libc::c_int = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;

/// The name by which the library was loaded; `None` in the program itself.
fn own_library() -> Option<*const c_char> {
    // SAFETY: `getauxval` takes any number. Source: getauxval(3), where the program's headers
    // are, and so the program.
    let of_program = unsafe { libc::getauxval(libc::AT_PHDR) };
    let of_program = usize::try_from(of_program).ok()?;
    let program = object_at(core::ptr::without_provenance(of_program))?;
    let own = object_at(stay_loaded as *const c_void)?;
    (own.dli_fbase != program.dli_fbase).then_some(own.dli_fname)
}

/// What is loaded at an address. Source: dladdr(3).
fn object_at(address: *const c_void) -> Option<libc::Dl_info> {
    let mut object = MaybeUninit::uninit();
    // SAFETY: `dladdr` takes any address, and writes to `object` alone, which has room.
    let found = unsafe { libc::dladdr(address, object.as_mut_ptr()) };
    // SAFETY: where something was `found`, `dladdr` filled the whole of `object`.
    (found != 0).then(|| unsafe { object.assume_init() })
}
