//! Runs the benchmark `counts`, and reads what gungraun found.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Mistake, WORKSPACE};

/// How often `counts/counts.rs` does each thing, but for what it names `bare_loop`.
pub(crate) const TIMES: u64 = 1_000;

/// Which engine is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    /// The one that users get.
    Usual,
    /// One without the accounting, for the sake of the difference.
    Unaccounted,
}

/// One benchmark's count.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) name: String,
    pub(crate) instructions: u64,
    /// The program that was measured.
    pub(crate) program: PathBuf,
    /// The folder with what callgrind wrote.
    pub(crate) folder: PathBuf,
}

/// Counts everything in one build.
pub(crate) fn counts(build: Build) -> Result<Vec<Count>, Mistake> {
    let output = command(build).output();
    let output = output.map_err(|error| format!("cargo does not run: {error}"))?;
    if !output.status.success() {
        return Err(
            "`cargo bench -p mm-gate-counts` failed. Is everything there that \
                    `benches/gate/install` installs?"
                .to_owned(),
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(count)
        .collect()
}

/// The count of this name.
pub(crate) fn named<'a>(counts: &'a [Count], name: &str) -> Result<&'a Count, Mistake> {
    counts
        .iter()
        .find(|count| count.name == name)
        .ok_or_else(|| format!("`{name}` was not measured"))
}

fn command(build: Build) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["bench", "--locked", "--quiet"])
        .args(["-p", "mm-gate-counts", "--bench", "counts"])
        .args(["--", "--output-format=json"])
        .current_dir(WORKSPACE)
        .stderr(Stdio::inherit());
    if let Build::Unaccounted = build {
        // Not by RUSTFLAGS, for which all dependencies would be built again.
        let rustc = concat!(env!("CARGO_MANIFEST_DIR"), "/unaccounted_rustc");
        command.env("RUSTC_WORKSPACE_WRAPPER", rustc);
    }
    command
}

/// Reads one line of gungraun's: one benchmark.
fn count(line: &str) -> Result<Count, Mistake> {
    let all: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    let missing = |what| format!("gungraun says no `{what}`: {line}");
    let text = |key| all[key].as_str().ok_or_else(|| missing(key));
    let metrics = &all["profiles"][0]["data"]["total"]["metrics"];
    let new = &metrics["Ir"]["values"]["new"];
    let root = Path::new(text("project_root")?);
    Ok(Count {
        name: text("function_name")?.to_owned(),
        instructions: new.as_u64().ok_or_else(|| missing("Ir"))?,
        program: root.join(text("benchmark_exe")?),
        folder: root.join(text("output_dir")?),
    })
}
