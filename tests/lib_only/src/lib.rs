//! A library that has a page family and nothing to call.

use mm::MmManaged;

/// A type that nobody ever makes.
#[derive(Debug, MmManaged)]
pub struct OfALibrary {
    /// Some content.
    pub content: u64,
}
