//! The choice of where to ask for huge OS pages. `pages/huge.rs` gives the reasons.

use super::hardening;
use crate::os::Mapping;
use crate::os::huge::are_usual;

/// Where huge OS pages back mm's memory. On most machines they have 2 MiB.
///
/// They make random access to much memory faster, and every use of little memory larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HugePages {
    /// Nowhere.
    Never,
    /// If the system uses huge pages for all memory: for blocks larger than a VM page from the start, and for
    /// families of at least 8 MiB when the kernel gets around to it. If programs may ask for huge pages: for
    /// memory that such a family gave back and needs again within seconds.
    #[default]
    Auto,
    /// Everywhere, if the system lets programs ask for them.
    Always,
}

/// Asks for small OS pages for mm's own records, since much of their memory stays untouched.
#[cold]
pub(in crate::heap) fn keep_small(mapping: &Mapping) {
    let is_wanted = match chosen() {
        HugePages::Never => true,
        HugePages::Auto => are_usual(),
        HugePages::Always => false,
    };
    if is_wanted {
        mapping.prefer_huge(0..mapping.bytes(), false);
    }
}

/// Whether an extent gets huge OS pages unless mm prevents it.
pub(in crate::heap) fn may_surprise() -> bool {
    chosen() == HugePages::Auto && are_usual()
}

/// Where to use huge OS pages.
pub(in crate::heap) fn chosen() -> HugePages {
    match hardening::chosen_huge() {
        // A huge page cannot have an inaccessible part.
        HugePages::Always if hardening::is_any_guarded() => HugePages::Auto,
        chosen => chosen,
    }
}
