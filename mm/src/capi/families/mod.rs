//! Families of the original interface, and the instances that contain them.

mod family;
mod instance;

pub use family::vm_page_family_;
pub(super) use family::{Family, layout_of};
pub use instance::mm_instance_;
