//! Runs: one process for each row and rival.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use mm_benches_common::figures::Figures;
use mm_global_benches::Row;

use crate::options::Options;

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
        for row in rows {
            for rival in &rivals {
                one(
                    options,
                    row,
                    &programs.join(format!("rows-{rival}")),
                    |name, figure| {
                        figures.add(name, rival, figure);
                    },
                )?;
            }
        }
        rivals.rotate_left(1);
    }
    Ok(figures)
}

/// Starts the program of a rival for a row, and passes on each figure that it prints.
fn one(
    options: &Options,
    row: &Row,
    program: &Path,
    mut add: impl FnMut(&str, f64),
) -> io::Result<()> {
    let mut command = Command::new(program);
    command.arg(row.name).stderr(Stdio::inherit());
    if options.is_quick {
        command.arg((row.load.rounds / 4).max(3).to_string());
    }
    let output = command.output()?;
    if !output.status.success() {
        let what = format!("{} {}: {}", program.display(), row.name, output.status);
        return Err(io::Error::other(what));
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (name, figure) = line.split_once('\t').expect("a name and a figure");
        add(name, figure.parse().expect("a figure"));
    }
    Ok(())
}
