//! Families of code that is linked and never called: of a library, of a plugin, and of a program
//! that the linker was free to strip.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libloading::{Library, Symbol};
use mm_test_lib_only as _;

/// `mm_test_family_name` of the plugin.
type FamilyName = unsafe extern "C" fn(usize, *mut usize) -> *const u8;

/// The names of this process's families.
fn names() -> BTreeSet<&'static str> {
    mm::families().map(mm::PageFamily::name).collect()
}

/// Builds the plugin and the program as a release with fat LTO, once, beside all other builds;
/// gives the folder with the results.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("linked");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--offline", "--quiet"])
            .args(["--config", "profile.release.lto=\"fat\""])
            .args(["--package", "mm-test-plugin-cdylib"])
            .args(["--package", "mm-test-fat-lto"])
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target)
            .env_remove("CARGO_BUILD_TARGET")
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the plugin and the program build");
        target.join("release")
    })
}

/// Asks the plugin for the names of its families.
fn names_in(plugin: &Library) -> BTreeSet<String> {
    // SAFETY: the plugin defines the function with this type.
    let family_name: Symbol<'_, FamilyName> =
        unsafe { plugin.get(b"mm_test_family_name") }.expect("the plugin exports the function");
    (0..)
        .map_while(|index| name_in(*family_name, index))
        .collect()
}

/// Asks the plugin for one name.
fn name_in(family_name: FamilyName, index: usize) -> Option<String> {
    let mut length = 0;
    // SAFETY: `length` can be written to.
    let start = unsafe { family_name(index, &raw mut length) };
    if start.is_null() {
        return None;
    }
    // SAFETY: the plugin gives the start and the length of a string it never changes.
    let bytes = unsafe { std::slice::from_raw_parts(start, length) };
    Some(String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn a_library_that_is_only_linked_is_listed() {
    assert!(names().contains("OfALibrary"));
}

#[test]
#[cfg_attr(miri, ignore = "starts cargo")]
fn a_plugin_lists_its_own_families_and_only_those() {
    let file = built().join(libloading::library_filename("mm_test_plugin_cdylib"));
    let before = names();
    // SAFETY: loading the plugin runs nothing but the registration of its families.
    let plugin = unsafe { Library::new(file) }.expect("the plugin loads");
    assert_eq!(
        names_in(&plugin),
        BTreeSet::from(["OfThePlugin".to_owned()])
    );
    assert_eq!(names(), before);
    // A library with thread-locals must stay.
    std::mem::forget(plugin);
}

#[test]
#[cfg_attr(miri, ignore = "starts cargo")]
fn fat_lto_strips_no_family() {
    let program = built().join(format!("mm-test-fat-lto{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(program).output().expect("the program runs");
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).expect("names are text");
    let listed: BTreeSet<_> = listed.lines().collect();
    let expected = ["OfALibrary", "OfAModule<u8>", "OfTheProgram"];
    assert_eq!(listed, BTreeSet::from(expected));
}
