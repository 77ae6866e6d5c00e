//! Whose code a source file is.

use std::path::Path;

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The program's own crates.
    Own,
    /// The standard library, with the crate `hashbrown`, which its maps are made of.
    Standard,
    /// mm.
    Mm,
    /// Crates of others.
    Library,
    /// Unknown: neither a file nor a crate says it.
    Unknown,
}

/// Folders of crates that cargo downloads or vendors.
const DOWNLOADED: [&str; 4] = [
    "/registry/src/",
    "/git/checkouts/",
    "/vendor/",
    "/rust/deps/",
];

/// Crates that come with the toolchain: the standard library, and what it is linked with.
const WITH_TOOLCHAIN: [&str; 21] = [
    "__rustc",
    "addr2line",
    "adler2",
    "alloc",
    "cfg_if",
    "compiler_builtins",
    "core",
    "gimli",
    "hashbrown",
    "libc",
    "memchr",
    "miniz_oxide",
    "object",
    "panic_abort",
    "panic_unwind",
    "proc_macro",
    "rustc_demangle",
    "rustc_std_workspace_core",
    "std",
    "std_detect",
    "test",
];

/// Where the source of mm is.
const MM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// Returns whose file it is.
pub(super) fn origin_of(path: &str) -> Origin {
    if path.starts_with(MM) {
        return Origin::Mm;
    }
    let is_hashbrown = downloaded(path).is_some_and(|(name, _)| name == "hashbrown");
    if standard(path).is_some() || is_hashbrown {
        Origin::Standard
    } else if is_of_others(path) {
        Origin::Library
    } else {
        Origin::Own
    }
}

/// Returns whose crate it is, as far as the name says. `own` is the crate of the program, where it is known.
pub(super) fn origin_of_crate(name: &str, own: Option<&str>) -> Origin {
    if name == "mm" {
        Origin::Mm
    } else if Some(name) == own {
        Origin::Own
    } else if WITH_TOOLCHAIN.contains(&name) {
        Origin::Standard
    } else if own.is_none() && !name.is_empty() {
        Origin::Unknown
    } else {
        Origin::Library
    }
}

/// Returns the path of the module that a file of the standard library or of a downloaded crate is; empty for others.
pub(super) fn module_of(path: &str) -> String {
    let Some((name, file)) = standard(path).or_else(|| downloaded(path)) else {
        return String::new();
    };
    let file = file.strip_suffix(".rs").unwrap_or(file);
    let mut module = name.replace('-', "_");
    for part in file
        .split('/')
        .filter(|part| !["lib", "mod"].contains(part))
    {
        module.push_str("::");
        module.push_str(part);
    }
    module
}

/// Returns the path of a file as the compiler was given it: from the folder where it was started.
pub(super) fn relative<'a>(path: &'a str, started: Option<&str>) -> &'a str {
    let within = started.and_then(|folder| Path::new(path).strip_prefix(folder).ok());
    within.and_then(Path::to_str).unwrap_or(path)
}

fn is_of_others(path: &str) -> bool {
    path.starts_with("/rustc/")
        || path.contains("/rustlib/src/rust/")
        || DOWNLOADED.iter().any(|folder| path.contains(folder))
}

/// Divides a file of the standard library into its crate and its path in there.
fn standard(path: &str) -> Option<(&str, &str)> {
    if !path.starts_with("/rustc/") && !path.contains("/rustlib/src/rust/") {
        return None;
    }
    let (_, rest) = path.split_once("/library/")?;
    rest.split_once("/src/")
}

/// Divides a file of a downloaded crate into the crate's name and its path in there.
fn downloaded(path: &str) -> Option<(&str, &str)> {
    let (package, file) = path.split_once("/src/").and_then(|(before, after)| {
        if before.ends_with("/registry") {
            let (_index, rest) = after.split_once('/')?;
            rest.split_once("/src/")
        } else {
            Some((before.rsplit('/').next()?, after))
        }
    })?;
    let is_of_others = DOWNLOADED.iter().any(|folder| path.contains(folder));
    let (name, _version) = package.rsplit_once('-')?;
    is_of_others.then_some((name, file))
}
