//! Runs: one process for the workloads in which the rivals take turns, and one process for each rival that
//! must be alone.

use std::env;
use std::io;
use std::process::{Command, Stdio};

use crate::options::{Options, Part};
use crate::workloads::Workload;
use mm_benches_common::figures::Figures;

/// The most attempts to run a part before the program fails.
const TRIES: usize = 3;

/// Measures all selected rows, run after run.
pub(crate) fn all(options: &Options, catalogue: &[Workload]) -> io::Result<Figures> {
    let mut figures = Figures::default();
    for run in 0..options.runs {
        eprintln!("run {} of {}", run + 1, options.runs);
        one(options, catalogue, run, &mut figures)?;
    }
    Ok(figures)
}

fn one(
    options: &Options,
    catalogue: &[Workload],
    run: usize,
    figures: &mut Figures,
) -> io::Result<()> {
    let alone = None;
    start(options, Part { run, alone }, &options.rivals, figures)?;
    for (place, workload) in catalogue.iter().enumerate() {
        if workload.is_alone && options.wants(workload) {
            let alone = Some(place);
            for rival in options.rivals.chunks(1) {
                start(options, Part { run, alone }, rival, figures)?;
            }
        }
    }
    Ok(())
}

/// Starts a process that measures a part, and reads its figures.
fn start(
    options: &Options,
    part: Part,
    rivals: &[String],
    figures: &mut Figures,
) -> io::Result<()> {
    for _ in 0..TRIES {
        let output = child(options, part, rivals)?.output()?;
        if output.status.success() {
            figures.read(&String::from_utf8_lossy(&output.stdout));
            return Ok(());
        }
        // One of the rivals sometimes crashes when its threads end.
        eprintln!("part {part} of {rivals:?}: {}", output.status);
    }
    Err(io::Error::other("the same part failed again and again"))
}

/// The process that measures a part.
fn child(options: &Options, part: Part, rivals: &[String]) -> io::Result<Command> {
    let mut child = Command::new(env::current_exe()?);
    child.args(["--child", &part.to_string(), "--only", &options.only]);
    child.args(["--rivals", &rivals.join(",")]);
    child.args(options.is_quick.then_some("--quick"));
    child.stderr(Stdio::inherit());
    Ok(child)
}
