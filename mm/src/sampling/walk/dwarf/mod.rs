//! Walks by the tables that compilers write for exceptions (`.eh_frame`), through the crate `framehop`.
//!
//! | file | job |
//! | --- | --- |
//! | `bounds.rs` | where the calling thread's stack is |
//! | `registers.rs` | where a walk starts |
//! | `modules.rs` | the program and its libraries, as the loader has them |
//! | `covered.rs` | whether a table of a module describes an address |
//! | `walker.rs` | one walk |
//! | `memo.rs` | the last walk, for what the next one has in common with it |
//! | `slots.rs` | walkers for threads in parallel, and what a fork does to them |

mod bounds;
mod covered;
mod memo;
mod modules;
mod registers;
mod slots;
#[cfg(test)]
mod tests;
mod walker;

pub(in crate::sampling) use bounds::Bounds;
pub(in crate::sampling) use slots::{keep_out, let_in, with_stack};

/// Whether stacks can be walked.
pub(in crate::sampling) const IS_POSSIBLE: bool = true;
