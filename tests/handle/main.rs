//! `MmBox` from outside: every constructor, every trait, every way out, and every panic between.

#[macro_use]
mod support;

mod convert;
mod io;
mod iter;
mod own;
mod panics;
mod raw;
mod serde;
mod shape;
mod subtypes;
mod traits;
