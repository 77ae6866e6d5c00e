//! The library that the programs link.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The workspace.
pub(crate) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the tests make goes below this folder.
pub(crate) const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// The folder with `libmm.a` and `libmm.so`, which are brought up to date once a run.
pub(crate) fn folder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // That of the tests, where what mm depends on is built already.
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
