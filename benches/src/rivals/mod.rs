//! The measured allocators and pools.

mod global;
mod mm;
mod plurality;
mod slab;

use self::global::Global;
use self::mm::Mm;
use self::plurality::Plurality;
use self::slab::Slab;
use crate::workloads::{Workload, catalogue};

/// A rival by name, with the workloads compiled for it.
pub(crate) type Entry = (&'static str, fn() -> Vec<Workload>);

/// The name of mm among the rivals. All others are compared with it.
pub(crate) const OURS: &str = "mm";

/// The only rival that returns keys instead of addresses.
pub(crate) const KEYED: &str = "slab";

/// All rivals, in the order of the table's columns.
pub(crate) const RIVALS: &[Entry] = &[
    (OURS, catalogue::<Mm>),
    ("glibc", catalogue::<Global<std::alloc::System>>),
    #[cfg(feature = "c-rivals")]
    ("mimalloc", catalogue::<Global<mimalloc::MiMalloc>>),
    #[cfg(feature = "c-rivals")]
    ("jemalloc", catalogue::<Global<tikv_jemallocator::Jemalloc>>),
    #[cfg(feature = "c-rivals")]
    ("rpmalloc", catalogue::<Global<rpmalloc::RpMalloc>>),
    ("rallocator", catalogue::<Global<rallocator::Rallocator>>),
    ("plurality", catalogue::<Plurality>),
    (KEYED, catalogue::<Slab>),
];
