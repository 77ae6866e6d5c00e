//! Random actions on page families, compared with an oracle that knows all live blocks.
//!
//! Up to three worker threads do the work that the main thread gives them, one job at a time, so that an
//! input always does the same.

#![no_main]

mod action;
mod block;
mod families;
mod figures;
mod oracle;
mod owner;
mod refused;
mod run;
mod workers;

use libfuzzer_sys::fuzz_target;

use crate::action::Input;
use crate::run::Run;

/// All memory of the fuzzer in mm's size classes.
#[cfg(feature = "global")]
#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

fuzz_target!(|input: Input| {
    let mut run = Run::new(input.layout);
    input.actions.iter().for_each(|action| run.act(action));
    run.end();
});
