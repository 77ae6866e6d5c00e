//! Builds the programs of all rivals, since `cargo run` builds one program alone.

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use mm_benches_common::machine;

/// Builds the programs as this one was built, and returns the folder with them.
///
/// # Errors
///
/// If cargo cannot be started, or a program does not build.
pub(crate) fn programs() -> io::Result<PathBuf> {
    let this = env::current_exe()?;
    let folder = this.parent().expect("a program lies in a folder");
    let profile = match machine::profile() {
        debug if debug == "debug" => "dev".to_owned(),
        other => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--locked", "--bins", "--profile", &profile])
        .args(["--no-default-features", "--features", FEATURES])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ]);
    if !cargo.status()?.success() {
        return Err(io::Error::other("the programs of the rivals do not build"));
    }
    Ok(folder.to_owned())
}

/// The features that this program was built with.
const FEATURES: &str = if cfg!(feature = "c-rivals") {
    "c-rivals"
} else {
    ""
};
