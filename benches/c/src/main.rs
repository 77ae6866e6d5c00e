//! mm's C interface beside `calloc` and `free` of other allocators: one command, one table.
//!
//! ```sh
//! cargo run --release -p mm-c-benches
//! cargo run --release -p mm-c-benches -- --only pair
//! ```
//!
//! The loops are C, and are compiled for each rival. All runs are in one process. In each workload the rivals
//! take turns, and a different one is first in each run. The figures are medians. As in C programs, nothing
//! is optimized across languages. `--release` is the profile that `docs/c.md` uses for `libmm.a`.

mod loops;
mod options;
mod table;
mod workloads;

use std::error::Error;
use std::fs;
use std::path::Path;

use mm_benches_common::figures::Figures;
use mm_benches_common::machine;

use crate::loops::{RIVALS, Rival};
use crate::options::{Options, USAGE};
use crate::workloads::{WORKLOADS, Workload};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(lexopt::Parser::from_env())?;
    if options.is_help {
        println!("{USAGE}");
        return Ok(());
    }
    let wanted = WORKLOADS
        .iter()
        .filter(|workload| workload.name.contains(&options.only));
    let workloads: Vec<Workload> = wanted.copied().collect();
    let figures = measured(&options, &workloads);
    let report = table::report(&options, &figures, &workloads, &machine::line());
    print!("{report}");
    if options.is_written {
        fs::write(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("results.md"),
            report,
        )?;
    }
    Ok(())
}

/// Measures the selected rows, run after run.
fn measured(options: &Options, workloads: &[Workload]) -> Figures {
    let mut rivals = RIVALS.to_vec();
    rivals.iter().for_each(|rival| rival.loops.begin());
    let mut figures = Figures::default();
    for run in 0..options.runs {
        eprintln!("run {} of {}", run + 1, options.runs);
        for workload in workloads {
            for Rival { name, loops } in &rivals {
                figures.add(
                    workload.name,
                    name,
                    workload.measure(*loops, options.is_quick),
                );
            }
        }
        rivals.rotate_left(1);
    }
    figures
}
