//! mm as the global allocator beside other global allocators, in one table.
//!
//! ```sh
//! cargo run --release -p mm-global-benches
//! cargo run --release -p mm-global-benches -- --only json --rivals mm,mimalloc
//! ```
//!
//! One program for each allocator does the same work with the collections of the standard library, so each is what
//! it would be in a program: the global allocator, alone, behind the functions that the compiler calls. Each
//! measurement is a process that does one row with one allocator. The allocators take turns, and a different one is
//! first in each run. The figures are the medians of the runs. `--release` is how most programs are built; with
//! `--profile compare`, which optimizes across crates, mm gains most.

mod build;
mod options;
mod run;
mod table;

use std::error::Error;
use std::fs;
use std::path::Path;

use mm_benches_common::machine;
use mm_global_benches::{Row, rows};

use crate::options::{Options, USAGE};

/// The rivals by name, in the order of the table's columns. `rows-NAME` is the program of each.
const RIVALS: &[&str] = &[
    OURS,
    "glibc",
    #[cfg(feature = "c-rivals")]
    MAIN_RIVAL,
    #[cfg(feature = "c-rivals")]
    "jemalloc",
    #[cfg(feature = "c-rivals")]
    "rpmalloc",
    #[cfg(feature = "c-rivals")]
    "snmalloc",
];

/// The name of mm among the rivals. All others are compared with it.
const OURS: &str = "mm";

/// The rival that has a column of ratios of its own.
const MAIN_RIVAL: &str = "mimalloc";

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(lexopt::Parser::from_env())?;
    if options.is_help {
        println!("{USAGE}");
        return Ok(());
    }
    let all = rows().into_iter();
    let rows: Vec<Row> = all.filter(|row| options.wants(row.name)).collect();
    let programs = build::programs()?;
    let figures = run::all(&options, &rows, &programs)?;
    let report = table::report(&options, &figures, &rows, &machine::line());
    print!("{report}");
    if options.is_written {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("results.md");
        fs::write(file, report)?;
    }
    Ok(())
}
