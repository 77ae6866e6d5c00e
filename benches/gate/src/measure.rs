//! Builds the program `mm-gate-counts`, and counts its instructions under callgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Mistake, WORKSPACE, callgrind};

/// The number of repetitions of most work in `counts/src/main.rs`.
pub(crate) const TIMES: u64 = 1_000;

/// The number of repetitions of work that overflows a cache.
const MANY: u64 = 100_000;

/// The work of the program: its name, the functions that callgrind counts, and the number of repetitions.
const COUNTED: &[(&str, &str, u64)] = &[
    ("pair", "mm_gate_pair", TIMES),
    ("instance_pair", "mm_gate_instance_pair", TIMES),
    ("library_pair", "mm_gate_library_pair", TIMES),
    ("run_time_pair", "mm_gate_run_time_pair", TIMES),
    ("pairs", "mm_gate_pairs", TIMES),
    ("bare_loop", "mm_gate_loop", TIMES),
    ("batch", "mm_gate_batch", TIMES),
    ("in_order", "mm_gate_batch", MANY),
    ("shuffled", "mm_gate_shuffled", MANY),
    ("hand_over", "mm_gate_hand_*", TIMES),
    ("xcalloc", "mm_gate_xcalloc", TIMES),
];

/// The engine to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    /// The engine that users get.
    Usual,
    /// The engine without accounting, for the difference.
    Unaccounted,
}

/// The cost of one kind of work.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) name: &'static str,
    pub(crate) instructions: u64,
    /// The number of repetitions.
    pub(crate) times: u64,
    /// The program that was measured.
    pub(crate) program: PathBuf,
    /// The output of callgrind.
    pub(crate) profile: String,
}

/// Counts all work with one build.
pub(crate) fn counts(build: Build) -> Result<Vec<Count>, Mistake> {
    let program = built(build)?;
    COUNTED
        .iter()
        .map(|(name, functions, times)| count(&program, name, functions, *times))
        .collect()
}

/// Returns the count of this name.
pub(crate) fn named<'a>(counts: &'a [Count], name: &str) -> Result<&'a Count, Mistake> {
    counts
        .iter()
        .find(|count| count.name == name)
        .ok_or_else(|| format!("`{name}` was not measured"))
}

/// Builds the program, and returns its path.
fn built(build: Build) -> Result<PathBuf, Mistake> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--locked", "--release", "-p", "mm-gate-counts"])
        .args(["--bins", "--message-format=json-render-diagnostics"])
        .current_dir(WORKSPACE);
    if let Build::Unaccounted = build {
        // Not with RUSTFLAGS, because cargo would build all dependencies again.
        let rustc = concat!(env!("CARGO_MANIFEST_DIR"), "/unaccounted_rustc");
        command.env("RUSTC_WORKSPACE_WRAPPER", rustc);
    }
    let messages = said(&mut command)?;
    messages
        .lines()
        .find_map(executable)
        .ok_or_else(|| "cargo does not say where it left mm-gate-counts".to_owned())
}

/// Returns the path of a program from a message of cargo.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    Some(message["executable"].as_str()?.into())
}

/// Counts in the functions of a name, which may end with `*`, while the program does one kind of work.
fn count(
    program: &Path,
    name: &'static str,
    functions: &str,
    times: u64,
) -> Result<Count, Mistake> {
    let file = program.with_file_name(format!("mm-gate.{name}.callgrind"));
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind"])
        .args([
            "--collect-atstart=no",
            &format!("--toggle-collect={functions}"),
        ])
        // The listing of the pair needs uncompressed names and addresses.
        .args([
            "--dump-instr=yes",
            "--compress-strings=no",
            "--compress-pos=no",
        ])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .arg(name);
    said(&mut command)?;
    let profile = fs::read_to_string(&file);
    let profile = profile.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Count {
        name,
        instructions: callgrind::total(&profile)
            .ok_or_else(|| format!("{} has no total", file.display()))?,
        times,
        program: program.to_owned(),
        profile,
    })
}

/// Runs a command that must succeed, and returns its output.
fn said(command: &mut Command) -> Result<String, Mistake> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        let program = command.get_program().display();
        format!("{program} does not run ({error}); `benches/gate/install` gets what is missing")
    })?;
    if !output.status.success() {
        return Err(format!("{command:?} failed"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
