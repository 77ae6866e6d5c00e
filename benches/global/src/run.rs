//! Runs: one process for each row and rival.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use mm_benches_common::figures::Figures;
use mm_global_benches::{BURST, Row, START, START_FIGURES};

use crate::options::Options;

/// How often each program is started in a run to take the time of its start.
const STARTS: usize = 100;

/// Measures the rows, run after run.
///
/// # Errors
///
/// If a program cannot be started or fails.
pub(crate) fn all(options: &Options, rows: &[Row], programs: &Path) -> io::Result<Figures> {
    let mut figures = Figures::default();
    let mut rivals = options.rivals.clone();
    for run in 0..options.runs {
        eprintln!("run {} of {}", run + 1, options.runs);
        for (name, rounds) in parts(options, rows) {
            for rival in &rivals {
                let program = programs.join(format!("rows-{rival}"));
                let rounds = rounds.filter(|_| options.is_quick);
                one(&program, name, rounds, |name, figure| {
                    figures.add(name, rival, figure);
                })?;
            }
        }
        if options.wants(START) {
            starts(programs, &rivals, &mut figures)?;
        }
        rivals.rotate_left(1);
    }
    Ok(figures)
}

/// Returns the names of what is measured, and how many rounds or seconds each does if it is to be quick.
fn parts(options: &Options, rows: &[Row]) -> Vec<(&'static str, Option<u32>)> {
    let of_row = |row: &Row| (row.name, Some((row.load.rounds / 4).max(3)));
    let burst = options.wants(BURST).then_some((BURST, Some(2)));
    rows.iter().map(of_row).chain(burst).collect()
}

/// Starts the program of each rival in turn, often, and takes the time of each.
fn starts(programs: &Path, rivals: &[&str], figures: &mut Figures) -> io::Result<()> {
    for rival in rivals.repeat(STARTS) {
        let program = programs.join(format!("rows-{rival}"));
        let start = Instant::now();
        one(&program, START, None, |name, figure| {
            figures.add(name, rival, figure);
        })?;
        let took = start.elapsed().as_secs_f64() * 1e3;
        figures.add(START_FIGURES[0].0, rival, took);
    }
    Ok(())
}

/// Starts the program of a rival for a row, and passes on each figure that it prints.
fn one(
    program: &Path,
    name: &str,
    rounds: Option<u32>,
    mut add: impl FnMut(&str, f64),
) -> io::Result<()> {
    let mut command = Command::new(program);
    command.arg(name).stderr(Stdio::inherit());
    command.args(rounds.map(|rounds| rounds.to_string()));
    let output = command.output()?;
    if !output.status.success() {
        let what = format!("{} {}: {}", program.display(), name, output.status);
        return Err(io::Error::other(what));
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (name, figure) = line.split_once('\t').expect("a name and a figure");
        add(name, figure.parse().expect("a figure"));
    }
    Ok(())
}
