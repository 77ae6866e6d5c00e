//! Turns: in each, every program runs once with every allocator.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use mm_program_benches::Program;

use crate::options::Options;

/// A figure of one process.
pub(crate) struct Figure {
    pub(crate) turn: usize,
    pub(crate) program: &'static str,
    pub(crate) allocator: &'static str,
    /// What it is, with its unit.
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// Measures the programs, turn after turn.
///
/// # Errors
///
/// If a program cannot be started or fails, or its answer differs from that with another allocator.
pub(crate) fn all(
    options: &Options,
    programs: &[Program],
    input: &Path,
) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut allocators = options.allocators.clone();
    for program in programs {
        // Brings the files that it reads into the page cache.
        one(program, crate::OURS, input)?;
    }
    for turn in 0..options.pairs {
        eprintln!("turn {} of {}", turn + 1, options.pairs);
        for program in programs {
            let mut answers = Vec::new();
            for allocator in &allocators {
                let printed = one(program, allocator, input)?;
                for line in printed.lines() {
                    let (name, value) = line.split_once('\t').expect("a name and a figure");
                    if name == "answer" {
                        answers.push(value.to_owned());
                        continue;
                    }
                    figures.push(Figure {
                        turn,
                        program: program.name,
                        allocator,
                        name: name.to_owned(),
                        value: value.parse().expect("a figure"),
                    });
                }
            }
            if answers.iter().any(|answer| *answer != answers[0]) {
                let what = format!("{}: the answers differ: {answers:?}", program.name);
                return Err(io::Error::other(what));
            }
        }
        allocators.rotate_left(1);
    }
    Ok(figures)
}

/// Runs a program with an allocator, and returns what it prints.
fn one(program: &Program, allocator: &str, input: &Path) -> io::Result<String> {
    let binary = env::current_exe()?.with_file_name(format!("programs-{allocator}"));
    let output = Command::new(binary)
        .arg(program.name)
        .arg(input)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        let what = format!("{} with {allocator}: {}", program.name, output.status);
        return Err(io::Error::other(what));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
