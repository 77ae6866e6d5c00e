//! Builds the libraries that the programs link.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the workspace.
pub(crate) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder for files that the tests make.
pub(crate) const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Returns the folder with `libmm.a` and `libmm.so`. The first call of a run builds them.
pub(crate) fn folder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // The profile of the tests, which has built mm's dependencies already.
        let target = Path::new(SCRATCH).join("..");
        let target = target.canonicalize().expect("cargo made the folder");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["rustc", "--quiet", "--locked", "-p", "mm"])
            .args(["--lib", "--features", "capi"])
            .args(["--crate-type", "staticlib,cdylib", "--target-dir"])
            .arg(&target)
            .args(["--", "--cfg", "mm_initial_exec"])
            .env_remove("CARGO_BUILD_TARGET")
            .current_dir(WORKSPACE);
        assert!(cargo.status().expect("cargo runs").success());
        target.join("debug")
    })
}
