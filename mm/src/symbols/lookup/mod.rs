//! Looks stacks up in the files of the program and its libraries.
//!
//! | file | job |
//! | --- | --- |
//! | `known.rs` | stacks that were looked up before |
//! | `resolver.rs` | frames of stacks, for one report |
//! | `loaded.rs` | modules of the process, and their files |
//! | `image.rs` | what a file says about addresses |
//! | `units.rs`, `unit.rs` | its debug information, a unit at a time |
//! | `symbols.rs` | what it says without: symbols |
//! | `frame.rs`, `function.rs`, `source.rs` | one function on a stack: its name, whose code it is |
//! | `types.rs` | the type that a stack allocated for |
//! | `rules.rs` | which functions of the standard library allocate for which collection |
//! | `kind.rs` | collections, and what they consist of |
//! | `site.rs` | the call site in the program's own crates |
//! | `text.rs` | names of types as text |

mod frame;
mod function;
mod image;
mod kind;
mod known;
mod loaded;
mod resolver;
mod rules;
mod site;
mod source;
mod symbols;
#[cfg(test)]
mod tests;
mod text;
mod types;
mod unit;
mod units;

use std::sync::{Mutex, TryLockError};

use super::Attribution;
use known::Known;

/// Stacks that were looked up. A report that finds it locked does without: in a child that was forked meanwhile it is
/// locked for ever.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Returns what each stack allocated, and where.
pub(super) fn attribute(stacks: &[&'static [usize]]) -> Vec<Attribution> {
    match KNOWN.try_lock() {
        Ok(mut known) => known.get_or_insert_default().attribute(stacks),
        Err(TryLockError::Poisoned(known)) => {
            let mut known = known.into_inner();
            known.insert(Known::default()).attribute(stacks)
        }
        Err(TryLockError::WouldBlock) => Known::default().attribute(stacks),
    }
}
