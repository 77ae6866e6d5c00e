//! `mm_print_registered_page_families`: one line for each family, with its name and the size of its
//! struct.

use core::fmt::{self, Display, Formatter};

use crate::capi::families::mm_instance_;
use crate::shown::Shown;

pub(super) struct PageFamilies(pub(super) &'static mm_instance_);

impl Display for PageFamilies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.families().try_for_each(|family| {
            let (name, size) = (Shown(family.heap.name()), family.heap.layout().size());
            writeln!(f, "Page Family : {name}, Size = {size}")
        })
    }
}
