//! The C interface: feature `capi`.
//!
//! C programs include headers of `mm/include`, and link `libmm.a` or `libmm.so`; the README says how
//! both are built. A Rust program may have C code in it that uses the same heap.
//!
//! | header | for | functions |
//! | --- | --- | --- |
//! | `uapi_mm.h`, `mm.h` | programs written for the library that mm grew out of | `mm_uapi_*` |
//! | `uapi_mm_instance.h` | its later variant, whose functions take an instance first | `mm_inst_*` |
//! | `mm_families.h` | new programs | `mm_*`, in `mm_api.h` |
//!
//! On an error, functions return `NULL` and print one line on standard error. A second release prints a
//! line, and ends the process by `abort`. The functions for new programs print nothing, and end nothing:
//! they return a status, and [`mm_last_error`] returns a sentence. All functions may be called from any
//! thread.
//!
//! A *string of C* ends with a zero byte, and stays as it is until the function that got it returns.
//!
//! ```
//! use mm::capi::{mm_uapi_instantiate_new_page_family, mm_uapi_xcalloc, mm_uapi_xfree};
//!
//! // SAFETY: the literal `c"emp_t"` is a string of C.
//! unsafe { mm_uapi_instantiate_new_page_family(c"emp_t".as_ptr(), 36) };
//! // SAFETY: the literal `c"emp_t"` is a string of C.
//! let emps = unsafe { mm_uapi_xcalloc(c"emp_t".as_ptr(), 3) };
//! assert_eq!(mm::snapshot().family("emp_t").unwrap().live_bytes, 3 * 36);
//! // SAFETY: `mm_uapi_xcalloc` gave the block, which is not used any more.
//! unsafe { mm_uapi_xfree(emps) };
//! ```

#![allow(non_camel_case_types, reason = "names of C")]

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
