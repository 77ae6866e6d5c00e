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
        // Not cargo's own folder: with these features other files would be the newest there.
        let target = Path::new(SCRATCH).join("c-library");
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
