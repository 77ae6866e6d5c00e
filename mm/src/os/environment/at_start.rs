//! The value of `MM_OPTIONS` before `main`, while the process has one thread.

use core::ffi::{CStr, c_int};
use std::sync::OnceLock;

use super::{LONGEST, NAME, OutBuffer, TooLong};

/// What [`note`] found.
pub(super) enum Noted {
    /// It read no environment: this code is part of a library, or the linker left the initialiser out.
    Nothing,
    /// There is no such variable.
    Unset,
    /// The value of the variable.
    Value(Result<&'static [u8], TooLong>),
}

/// A copy of the value, because some programs overwrite the text to change the line that `ps` shows for
/// them. One thread fills it before there are others, or it stays empty.
static NOTED: OnceLock<Option<Result<Value, TooLong>>> = OnceLock::new();

struct Value {
    room: OutBuffer,
    length: usize,
}

impl Value {
    fn of(text: &[u8]) -> Result<Self, TooLong> {
        let (mut room, length) = ([0; LONGEST], text.len());
        room.get_mut(..length).ok_or(TooLong)?.copy_from_slice(text);
        Ok(Self { room, length })
    }
}

/// Reads the environment if this code is part of the program itself. Then it runs before `main`, and no code
/// has changed the environment. The initialiser of a library may run at any time.
///
/// # Safety
///
/// 1. If this code is part of the program itself, no other thread changes the environment meanwhile.
pub(crate) unsafe fn note() {
    if is_of_program() {
        // SAFETY: by requirement 1 no other thread changes the environment, and `Value::of` copies the value
        // at once.
        let value = unsafe { value() };
        let _ = NOTED.set(value.map(|value| Value::of(value.to_bytes())));
    }
}

/// Returns the value of the variable in the environment of the C library.
///
/// # Safety
///
/// 1. No other thread changes the environment meanwhile, nor as long as the value is used.
unsafe fn value<'a>() -> Option<&'a CStr> {
    // SAFETY: `NAME` ends with a zero byte, and by requirement 1 no other thread changes the
    // environment.
    let value = unsafe { libc::getenv(NAME.as_ptr()) };
    // SAFETY: a value of `getenv` ends with a zero byte, and by requirement 1 no code changes it as long as
    // it is used.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

/// Returns what [`note`] found.
pub(super) fn noted() -> Noted {
    match NOTED.get() {
        None => Noted::Nothing,
        Some(None) => Noted::Unset,
        Some(Some(Ok(value))) => Noted::Value(Ok(&value.room[..value.length])),
        Some(Some(Err(TooLong))) => Noted::Value(Err(TooLong)),
    }
}

/// Whether this code is part of the program, which the loader lists first, and not of a library.
fn is_of_program() -> bool {
    /// Stops at the first file, which is the program. Returns 2 if `here` is in it, and 1 if not.
    ///
    /// # Safety
    ///
    /// 1. `info` is the loader's description of a loaded file, which `dl_iterate_phdr` passes.
    unsafe extern "C" fn first(
        info: *mut libc::dl_phdr_info,
        _: libc::size_t,
        here: *mut libc::c_void,
    ) -> c_int {
        // SAFETY: by requirement 1 `info` is the loader's description, which stays during this call.
        let info = unsafe { &*info };
        let holds_here = || {
            // SAFETY: by requirement 1 there are `dlpi_phnum` headers at `dlpi_phdr`, which stay as long as
            // the file is loaded. `holds_here` is called only if it is not null.
            let headers = unsafe {
                core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum))
            };
            let mut loaded = headers
                .iter()
                .filter(|header| header.p_type == libc::PT_LOAD);
            // The loader's numbers have 32 or 64 bits, as the machine has.
            #[allow(clippy::useless_conversion, reason = "32 bits elsewhere")]
            loaded.any(|header| {
                let start = u64::from(info.dlpi_addr).wrapping_add(u64::from(header.p_vaddr));
                (here.addr() as u64).wrapping_sub(start) < u64::from(header.p_memsz)
            })
        };
        if !info.dlpi_phdr.is_null() && holds_here() {
            2
        } else {
            1
        }
    }
    let here = (is_of_program as fn() -> bool as *const ())
        .cast_mut()
        .cast();
    // SAFETY: `dl_iterate_phdr` calls `first` with a description of a loaded file, which is all that it
    // requires. `first` keeps no pointer.
    unsafe { libc::dl_iterate_phdr(Some(first), here) == 2 }
}
