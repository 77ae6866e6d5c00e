//! All reports of a snapshot, one below the other.

use core::fmt::{self, Display, Formatter};

use crate::snapshot::Snapshot;

/// Writes three reports with an empty line between them: the families, their memory, and how full their pages
/// are. It is plain text, without colour. Writing does not allocate.
///
/// # Examples
///
/// ```
/// println!("{}", mm::snapshot());
/// ```
impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (families, memory) = (self.page_families(), self.memory_usage(None));
        write!(f, "{families}\n\n{memory}\n\n{}", self.block_usage())
    }
}
