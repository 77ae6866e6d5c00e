//! The face for new programs: `mm_*`, of page families that programs have by handles.
//!
//! It says nothing on its own: a call that is refused changes nothing, and answers with a status, or
//! with `NULL` or 0 where it would return something. [`mm_last_status`] and [`mm_last_error`] say why.

// In the order in which the header has what is in them.
mod status;

mod last_error;

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
