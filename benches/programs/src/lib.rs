//! Real programs, with whichever global allocator the binary has.

mod process;
mod programs;

use std::env;
use std::path::Path;

pub use crate::programs::{PROGRAMS, Program};

/// Runs the program that the command line names, and prints its figures.
///
/// The arguments are the name of a program and the folder of its input. Each line that it prints is the name of a
/// figure, a tab, and the figure; less is better of all of them.
///
/// # Panics
///
/// If there is no such program, or it fails.
pub fn run_one() {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().expect("the name of a program");
    let input = arguments.next().expect("the folder of its input");
    let program = PROGRAMS.iter().find(|program| program.name == name);
    let program = program.expect("the name of a program");
    (program.run)(Path::new(&input));
}
