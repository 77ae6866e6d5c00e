//! The gate: counts the instructions of the hot path, and compares them with the recorded figures.
//!
//! ```text
//! cargo run -p mm-gate                       compare
//! MM_UPDATE_GOLDEN=1 cargo run -p mm-gate    record figures and listing again
//! ```
//!
//! It needs `valgrind` and `objdump`; `install` in this folder installs valgrind. Nothing is timed, so other
//! load on the machine changes nothing.

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

/// The folder of the workspace. All commands run in it.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A failure, as a text for people.
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

/// Measures, and records or compares. Returns all failures.
fn run(update: bool) -> Result<Vec<Mistake>, Mistake> {
    let toolchain = toolchain::current()?;
    if !update {
        Figures::kept()?.check_toolchain(&toolchain)?;
    }
    let counts = measure::counts(Build::Usual)?;
    // Before the other build replaces the program.
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
