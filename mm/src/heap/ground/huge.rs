//! Where huge OS pages are asked for, as it was chosen. `pages/huge.rs` says why.

use super::hardening;
use crate::os::Mapping;
use crate::os::huge::are_usual;

/// Where mm's memory is backed by huge OS pages: of 2 MiB, on most machines.
///
/// With them random access to much memory is faster, and every use of little memory takes more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HugePages {
    /// Nowhere.
    Never,
    /// Where the system is set up to use them for all memory: for blocks larger than a VM page from
    /// the start on, for families of at least 8 MiB when the kernel comes to it. Where programs may ask for
    /// them: for what such a family gave back and needs again within seconds.
    #[default]
    Auto,
    /// Everywhere, if the system lets programs ask for them.
    Always,
}

/// Asks for small OS pages for what mm writes for itself, of which much stays empty.
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

/// Whether an extent has huge OS pages unless something is done.
pub(in crate::heap) fn may_surprise() -> bool {
    chosen() == HugePages::Auto && are_usual()
}

/// Where they are to be: no huge page can have a hole.
pub(in crate::heap) fn chosen() -> HugePages {
    match hardening::chosen_huge() {
        // No huge page can have a hole.
        HugePages::Always if hardening::is_guarded() => HugePages::Auto,
        chosen => chosen,
    }
}
