//! The interface for new programs: `mm_*`, which names page families by handles.
//!
//! It prints no errors. A call that fails changes nothing and returns a status, or `NULL` or 0 in place
//! of a result. [`mm_last_status`] and [`mm_last_error`] then say why.

// The header lists the functions in the order of these modules.
mod status;

mod last_error;
mod out_buffer;
mod refused;

mod family;

mod names;

mod allocate;

mod release;

mod stats;

mod report;

mod maintenance;

mod limit;

mod group;

pub use allocate::*;
pub use family::*;
pub use group::*;
pub use last_error::{mm_last_error, mm_last_status};
pub use limit::*;
pub use maintenance::*;
pub use release::*;
pub use report::*;
pub use stats::*;
pub use status::{mm_status, mm_status_text};
