//! Real programs with mm as the global allocator, beside other global allocators.
//!
//! ```sh
//! benches/programs/run
//! benches/programs/run --only json --pairs 5
//! ```
//!
//! Each measurement is a process. The allocators take turns, and a different one is first in each turn, so a turn
//! has one pair of mm and each rival. The table has the medians, and of the ratios of the pairs the median with its
//! 95 % interval, from order statistics: it assumes nothing about how the ratios are distributed.

mod input;
mod options;
mod run;
mod table;

use std::error::Error;
use std::fs;
use std::path::Path;

use mm_benches_common::machine;
use mm_program_benches::{PROGRAMS, Program};

use crate::options::{Options, USAGE};

/// The allocators by name, mm first. `programs-NAME` is the binary of each.
const ALLOCATORS: [&str; 4] = [OURS, "mimalloc", "jemalloc", "glibc"];

/// The name of mm among them.
const OURS: &str = "mm";

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(lexopt::Parser::from_env())?;
    if options.is_help {
        println!("{USAGE}");
        return Ok(());
    }
    let all = PROGRAMS.iter().copied();
    let programs: Vec<Program> = all.filter(|program| options.wants(program)).collect();
    let input = input::made()?;
    let turns = run::all(&options, &programs, &input)?;
    let report = table::report(&options, &programs, &turns, &machine::line());
    print!("{report}");
    if options.is_written {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("results.md");
        fs::write(file, report)?;
    }
    Ok(())
}
