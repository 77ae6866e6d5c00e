//! Random actions on page families, against an oracle that knows every live block.
//!
//! Up to three worker threads do what the main thread hands to them, one thing at a time, so that
//! one input always does the same.

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

fuzz_target!(|input: Input| {
    let mut run = Run::new(input.layout);
    input.actions.iter().for_each(|action| run.act(action));
    run.end();
});
