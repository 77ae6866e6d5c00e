//! Families as programs written for the original know them, and the sets that they are in.

mod family;
mod instance;

pub use family::vm_page_family_;
pub(super) use family::{Family, layout_of};
pub use instance::mm_instance_;
