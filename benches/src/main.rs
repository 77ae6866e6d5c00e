//! mm beside other allocators, in one table.
//!
//! ```sh
//! cargo run --profile compare -p mm-benches
//! cargo run --profile compare -p mm-benches -- --only pair --rivals mm,rallocator
//! ```
//!
//! Each run is a process in which all rivals do each workload in turn; a different rival is first in each
//! run. Rows of memory and of the largest sets use a process for each rival. The figures are the medians
//! of the runs. `--release` builds faster and also works, but rallocator is then slower.

mod chart;
mod child;
mod contract;
mod options;
mod ratio;
mod rivals;
mod run;
mod table;
mod workloads;

use std::error::Error;
use std::fs;
use std::path::Path;

use mm_benches_common::machine;

use crate::options::{Options, USAGE};
use crate::rivals::RIVALS;
use crate::workloads::Row;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(lexopt::Parser::from_env())?;
    match options.child {
        Some(part) => child::measure(&options, part),
        None if options.is_help => println!("{USAGE}"),
        None => compare(&options)?,
    }
    Ok(())
}

/// Measures the selected rows, prints the tables, and writes them to files if the options say so.
fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    if machine::profile() != "compare" {
        eprintln!("note: `--profile compare` is fairer to the rivals that are written in Rust");
    }
    let catalogue = RIVALS[0].1();
    let rows = catalogue
        .iter()
        .flat_map(|workload| &workload.rows)
        .copied();
    let rows: Vec<Row> = rows.filter(|row| options.wants_row(row)).collect();
    let figures = run::all(options, &catalogue)?;
    let machine = machine::line();
    let report = table::report(options, &figures, &rows, &machine);
    print!("{report}");
    if options.is_written {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::write(here.join("results.md"), report)?;
        chart::draw(&here.join("results.svg"), &figures, &rows, &machine)?;
    }
    Ok(())
}
