//! Runs: one process for what all rivals do side by side, one for each rival that must be alone.

use std::env;
use std::io;
use std::process::{Command, Stdio};

use crate::figures::Figures;
use crate::options::{Options, Part};
use crate::workloads::Workload;

/// Measures all that is wanted, run after run.
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
    let mut child = Command::new(env::current_exe()?);
    child.args(["--child", &part.to_string(), "--only", &options.only]);
    child.args(["--rivals", &rivals.join(",")]);
    child.args(options.is_quick.then_some("--quick"));
    let output = child.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        let what = format!("part {part} of {rivals:?}: {}", output.status);
        return Err(io::Error::other(what));
    }
    figures.read(&String::from_utf8_lossy(&output.stdout));
    Ok(())
}
