//! The compiler that the figures belong to.

use std::process::Command;

use crate::{Mistake, WORKSPACE};

/// A compiler and its target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    pub(crate) rustc: String,
    pub(crate) host: String,
}

/// Asks the compiler that cargo uses in this folder.
pub(crate) fn current() -> Result<Toolchain, Mistake> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .current_dir(WORKSPACE)
        .output();
    let output = output.map_err(|error| format!("rustc does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(Toolchain {
        rustc: line_of(&text, "release: ")?,
        host: line_of(&text, "host: ")?,
    })
}

fn line_of(text: &str, start: &str) -> Result<String, Mistake> {
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    line.map(str::to_owned)
        .ok_or_else(|| format!("`rustc -vV` has no line `{start}`"))
}
