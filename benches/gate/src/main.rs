//! The gate: counts the instructions of the hot path, and compares with the figures that are kept.
//!
//! ```text
//! cargo run -p mm-gate                       compare
//! MM_UPDATE_GOLDEN=1 cargo run -p mm-gate    record figures and listing again
//! ```
//!
//! It needs `valgrind` and `objdump`; `install` in this folder gets what is missing. Nothing is timed,
//! so other load on the machine changes nothing.

mod accounting;
mod callgrind;
mod disassembly;
mod figures;
mod golden;
mod listing;
mod measure;
mod report;
mod toolchain;
mod walk;

use std::process::ExitCode;

use figures::Figures;
use measure::Build;

/// Where the workspace starts; everything that runs, runs there.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What went wrong, for people.
type Mistake = String;

fn main() -> ExitCode {
    match run(std::env::var_os("MM_UPDATE_GOLDEN").is_some()) {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => fail(&failures.join("\n")),
        Err(mistake) => fail(&mistake),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("\nthe gate is shut:\n{why}");
    ExitCode::FAILURE
}

/// Measures, and records or compares. Gives what fails, all of it.
fn run(update: bool) -> Result<Vec<Mistake>, Mistake> {
    let toolchain = toolchain::current()?;
    if !update {
        Figures::kept()?.check_toolchain(&toolchain)?;
    }
    let counts = measure::counts(Build::Usual)?;
    // Before the other build takes the program's place.
    let listing = listing::of_pair(&counts)?;
    let unaccounted = measure::counts(Build::Unaccounted)?;

    let mut failures = Vec::new();
    if update {
        Figures::of(toolchain, &counts).keep()?;
    }
    failures.extend(report::against(&Figures::kept()?, &counts)?);
    failures.extend(accounting::check(&counts, &unaccounted)?);
    failures.extend(golden::check(&listing, update)?);
    Ok(failures)
}
