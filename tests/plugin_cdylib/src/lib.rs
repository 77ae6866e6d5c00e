//! A plugin that links an mm of its own and tells the page families of that one.

use mm::MmManaged;

#[derive(MmManaged)]
struct OfThePlugin {
    _content: u64,
}

/// Gives the address of the name of the `index`-th family and writes the name's length to
/// `length`; null when there are not as many.
///
/// # Safety
///
/// `length` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_test_family_name(index: usize, length: *mut usize) -> *const u8 {
    let Some(family) = mm::families().nth(index) else {
        return core::ptr::null();
    };
    // SAFETY: the caller says so.
    unsafe { length.write(family.name().len()) };
    family.name().as_ptr()
}
