//! Types and call sites of untyped memory, in programs that are built in all forms: both manglings, with debug
//! information, with symbols alone, and stripped.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable),
    not(miri)
))]

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the program says about its memory.
struct Said {
    /// The types that it holds, and where they are allocated.
    held: Vec<(String, String)>,
    live: f64,
    types: HashMap<String, f64>,
    sites: HashMap<String, f64>,
}

impl Said {
    /// Percent of the live bytes that rows with a name stand for.
    fn attributed(&self, rows: &HashMap<String, f64>) -> f64 {
        100.0 * (1.0 - rows[""] / self.live)
    }

    /// The sum of the rows is the whole.
    fn check_sums(&self) {
        for rows in [&self.types, &self.sites] {
            let sum: f64 = rows.values().sum();
            assert!((sum - self.live).abs() < 1.0, "{sum} of {}", self.live);
        }
    }

    /// Every type that is held, and every line, has a row of at least a part of its bytes.
    fn check_rows(&self) {
        for (name, place) in &self.held {
            let name = with_paths(name);
            let of_type = self.types.get(&name).copied().unwrap_or(0.0);
            assert!(of_type > 15_000.0, "{name}: {:?}", self.types);
            let at = |site: &&String| site.starts_with(&format!("{place} "));
            let of_site: f64 = self
                .sites
                .keys()
                .filter(at)
                .map(|site| self.sites[site])
                .sum();
            assert!(of_site > 5_000.0, "{place}: {:?}", self.sites);
        }
    }
}

/// A type of the program with its whole path.
fn with_paths(name: &str) -> String {
    name.replace("Message", "names_program::Message")
}

/// Builds the program with options for its own crate, and runs it.
fn said(options: &[&str]) -> Said {
    let program = built(options);
    let output = Command::new(program).env("MM_OPTIONS", "sample=1").output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("a text");
    let mut said = Said {
        held: Vec::new(),
        live: 0.0,
        types: HashMap::new(),
        sites: HashMap::new(),
    };
    for line in text.lines() {
        let words: Vec<_> = line.split('\t').collect();
        let number = |word: &str| word.parse::<f64>().expect("a number");
        match *words {
            ["held", name, place] => said.held.push((name.to_owned(), place.to_owned())),
            ["live", bytes] => said.live = number(bytes),
            ["type", name, bytes] => drop(said.types.insert(name.to_owned(), number(bytes))),
            ["site", name, bytes] => drop(said.sites.insert(name.to_owned(), number(bytes))),
            _ => panic!("{line}"),
        }
    }
    let (types, sites) = (said.attributed(&said.types), said.attributed(&said.sites));
    println!("{options:?}: {types:.1} % by type, {sites:.1} % by site");
    said.check_sums();
    said
}

/// Builds the program, in the profile and the folder that this test was built in.
fn built(options: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let target = target.canonicalize().expect("cargo made the folder");
    let this = env::current_exe().and_then(fs::canonicalize);
    let this = this.expect("the program knows its own path");
    // TARGET/[TRIPLE/]PROFILE/deps/PROGRAM
    let folder = this.ancestors().nth(2).expect("cargo put it there");
    let below = folder.strip_prefix(&target).expect("cargo put it there");
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "rustc",
            "--package",
            "mm-tests",
            "--example",
            "names-program",
        ])
        .args(["--offline", "--quiet", "--profile", profile(below)])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(WORKSPACE);
    let triple = below.parent().expect("it has a profile at least");
    if triple != Path::new("") {
        command.arg("--target").arg(triple);
    }
    let status = command.arg("--").args(options).status();
    assert!(status.expect("cargo runs").success(), "the program builds");
    folder.join("examples/names-program")
}

fn profile(below_target: &Path) -> &str {
    let profile = below_target.file_name().and_then(|name| name.to_str());
    match profile.expect("profiles have plain names") {
        "debug" => "dev",
        other => other,
    }
}

/// Options of the two manglings. The legacy one is the compiler's own choice.
const MANGLINGS: [&[&str]; 2] = [&[], &["-Csymbol-mangling-version=v0"]];

#[test]
fn memory_is_attributed_as_far_as_the_program_says() {
    // As cargo builds it for tests.
    let unoptimised = said(&["-Cdebuginfo=line-tables-only"]);
    assert!(
        unoptimised.attributed(&unoptimised.sites) >= 95.0,
        "{:?}",
        unoptimised.sites
    );
    let optimised = ["-Copt-level=3", "-Ccodegen-units=4"];
    let with = |more: &[&'static str]| said(&[&optimised, more].concat());
    for mangling in MANGLINGS {
        for debug in [
            &["-Cdebuginfo=line-tables-only"][..],
            &["-Cdebuginfo=full", "-Cdwarf-version=5"],
        ] {
            let lines = with(&[mangling, debug].concat());
            lines.check_rows();
            assert!(lines.attributed(&lines.types) >= 95.0, "{:?}", lines.types);
            assert!(lines.attributed(&lines.sites) >= 95.0, "{:?}", lines.sites);
        }
        let plain = with(&[mangling, &["-Cdebuginfo=none", "-Cstrip=debuginfo"]].concat());
        // What is named without line tables is right, too: there are no other types. But a buffer alone is a vector's.
        let held = plain.held.iter().map(|(name, _)| with_paths(name));
        let known: Vec<_> = held
            .flat_map(|name| {
                let buffer = name.replace("VecDeque", "Vec").replace("BinaryHeap", "Vec");
                [name, buffer]
            })
            .collect();
        for (name, bytes) in &plain.types {
            assert!(
                name.is_empty() || *bytes < 9_000.0 || known.contains(name),
                "{name}"
            );
        }
        assert!(plain.attributed(&plain.sites) >= 80.0, "{:?}", plain.sites);
        for site in plain.sites.keys().filter(|site| !site.is_empty()) {
            assert!(site.contains("names_program"), "{site}");
        }
    }
    let stripped = with(&["-Cdebuginfo=none", "-Cstrip=symbols"]);
    assert!(
        stripped.types.len() == 1 && stripped.sites.len() == 1,
        "{:?}",
        stripped.types
    );
}
