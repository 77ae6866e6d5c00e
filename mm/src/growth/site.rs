//! Which call site a stack belongs to, and what it allocates there.

use std::sync::Arc;

use crate::symbols::{self, Attribution};

/// Returns the call sites of stacks. Stacks of one site grow together. Where no site is known, the innermost address
/// stands for it.
pub(super) fn of_stacks(stacks: &[&'static [usize]]) -> Vec<Arc<str>> {
    let found = symbols::attribute(stacks).into_iter();
    let with_stacks = found.zip(stacks);
    with_stacks.map(|(found, stack)| of(found, stack)).collect()
}

/// Returns the call site of a stack, and the type that it allocates, for people.
pub(super) fn describe(stack: &'static [usize]) -> (Arc<str>, Option<Arc<str>>) {
    let found = symbols::attribute(&[stack]).pop().unwrap_or_default();
    let type_name = found.type_name.clone();
    (of(found, stack), type_name)
}

fn of(found: Attribution, stack: &[usize]) -> Arc<str> {
    let innermost = stack.first().copied().unwrap_or(0);
    found
        .site
        .unwrap_or_else(|| format!("{innermost:#x}").into())
}
