//! Which memory counts as leaked.

use crate::heap::ground::hardening::Contents;

/// The memory whose live blocks count as leaks.
///
/// std's statics, the names of threads and what a test harness captures are live blocks of
/// [`Global`](crate::Global) in any program. So untyped memory counts only if the program asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Counted {
    #[default]
    Typed,
    /// Untyped memory, too.
    All,
}

impl Counted {
    /// Whether blocks with such contents count. Once untyped blocks have call sites, this is where those outside
    /// of the program's own crates are to be left out.
    pub(crate) fn has(self, contents: Contents) -> bool {
        self == Self::All || contents == Contents::Typed
    }
}
