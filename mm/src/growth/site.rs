//! Which call site a stack belongs to.

use crate::profile;

/// Returns the call site of a stack: the return address in the first function that is neither mm's nor std's. Stacks
/// of one site grow together.
///
/// Without the names of functions it is the innermost address. It looks up each address.
pub(super) fn of_stack(addresses: &[usize]) -> usize {
    let own = profile::first_of_program(addresses);
    own.or_else(|| addresses.first().copied()).unwrap_or(0)
}

/// Returns the name of a call site, for people.
pub(super) fn name(site: usize) -> Box<str> {
    format!("{site:#x}").into()
}
