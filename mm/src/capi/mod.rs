//! The C interface: feature `capi`.
//!
//! C programs include a header of `mm/include` and link `libmm.a` or `libmm.so`. `docs/c.md` says how
//! to build them. C code inside a Rust program can use the same heap.
//!
//! | header | for | functions |
//! | --- | --- | --- |
//! | `uapi_mm.h`, `mm.h` | programs that were written for the original C library, from which mm was made | `mm_uapi_*` |
//! | `uapi_mm_instance.h` | programs that were written for its later version, whose functions take an instance as the first argument | `mm_inst_*` |
//! | `mm_families.h` | new programs | `mm_*`, in `mm_api.h` |
//!
//! `mm_uapi_*` and `mm_inst_*` return `NULL` on an error and print one line on standard error. After a second
//! release they print a line and call `abort`. The functions for new programs print nothing and do not abort:
//! they return a status, and [`mm_last_error`] describes the error. Any thread may call any function.
//!
//! In the requirements below, a *C string* ends with a zero byte, and does not change until the called function
//! returns. A *handle from mm* is a pointer that a function of mm returned or passed to a callback.
//!
//! ```
//! use mm::capi::{mm_uapi_instantiate_new_page_family, mm_uapi_xcalloc, mm_uapi_xfree};
//!
//! // SAFETY: the literal `c"emp_t"` is a C string.
//! unsafe { mm_uapi_instantiate_new_page_family(c"emp_t".as_ptr(), 36) };
//! // SAFETY: the literal `c"emp_t"` is a C string.
//! let emps = unsafe { mm_uapi_xcalloc(c"emp_t".as_ptr(), 3) };
//! assert_eq!(mm::snapshot().family("emp_t").unwrap().live_bytes, 3 * 36);
//! // SAFETY: `mm_uapi_xcalloc` gave the block, which is not used any more.
//! unsafe { mm_uapi_xfree(emps) };
//! ```

#![allow(non_camel_case_types, reason = "the names of the C interface")]

mod allocate;
mod api;
mod families;
mod instance_face;
mod named;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod old_names;
mod place;
mod release;
mod report;
mod site;
mod struct_size;
mod uapi;

pub use api::*;
pub use families::mm_instance_;
pub use families::vm_page_family_;
pub use instance_face::*;
pub use site::mm_site;
pub use uapi::*;
