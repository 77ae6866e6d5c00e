//! A library of which a program links two versions.

use mm::MmManaged;

/// The same name, path, file and line in both versions.
#[derive(Debug, MmManaged)]
pub struct Shared(pub u64);
