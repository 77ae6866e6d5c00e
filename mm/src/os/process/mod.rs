//! The process as a whole.
//!
//! | file | job |
//! | --- | --- |
//! | `figures.rs` | resident bytes, and limits of memory |
//! | `handlers.rs` | functions that run at a fork, at the end of the process, and on a signal |
//! | `memory.rs` | copies bytes that Rust must not read |
//! | `stderr.rs` | lines on standard error |

mod figures;
mod handlers;
mod memory;
mod stderr;

#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) use figures::overcommits;
pub(crate) use figures::{
    address_space_limit, memory_bytes, most_mappings, resident_bytes, resident_bytes_by_mapping,
};
#[cfg(all(unix, feature = "signal"))]
pub(crate) use handlers::has_signal;
pub(crate) use handlers::{AtExit, at_exit, at_fork, end_now};
pub(crate) use memory::copy_of;
pub(crate) use stderr::write_last_line;
