//! The main job: loads lock files of Cargo, and the source code of the packages in them, into a graph of
//! typed nodes. It answers two questions, and shows the page families while the graph grows and shrinks.
//!
//! `cargo run --release --example lockfile -- [Cargo.lock ...]`; without a path it loads the lock file of mm
//! itself. It reads sources where cargo put them; a package that was never downloaded has none. If it cannot
//! load a lock file, it prints one line on standard error and exits with code 2.

#![forbid(unsafe_code)]

mod file;
mod graph;
mod source;

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::graph::Graph;

/// The lock file of the workspace that this example belongs to.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");

fn main() -> ExitCode {
    match load(env::args_os().skip(1)) {
        Ok(graph) => tell(graph),
        Err(bad_file) => {
            eprintln!("lockfile: {bad_file}");
            ExitCode::from(2)
        }
    }
}

/// Loads the named files, or mm's own lock file. An error is one line that names the file.
fn load(named: impl Iterator<Item = OsString>) -> Result<Graph, String> {
    let mut paths: Vec<_> = named.collect();
    if paths.is_empty() {
        paths.push(OWN.into());
    }
    let mut graph = Graph::default();
    for path in &paths {
        let path = Path::new(path);
        graph.add(path).map_err(|reason| {
            let line = format!("{}: {reason}", path.display());
            line.replace(char::is_control, " ")
        })?;
    }
    Ok(graph)
}

fn tell(mut graph: Graph) -> ExitCode {
    say("The most depended-upon packages:\n");
    for (name, dependents) in graph.most_depended_upon(10) {
        say(format_args!("{dependents:>5}  {name}"));
    }
    let (packages, found, size) = graph.sources();
    say(format_args!(
        "\n{found} of {packages} packages have their sources here: {} files, {} MiB, {} lines that are not blank",
        size.files,
        size.bytes >> 20,
        size.lines
    ));
    say("\nThe packages that bring the most code, with all that they depend on:\n");
    for (name, lines, packages) in graph.heaviest(10) {
        say(format_args!(
            "{lines:>8} lines in {packages:>2} packages  {name}"
        ));
    }
    say("\nEvery type has a page family:\n");
    mm::print_registered_page_families();
    report("With the whole graph loaded");

    graph.drop_every_second();
    report("With every second package dropped");

    drop(graph);
    report("With the rest dropped");
    prove_that_nothing_is_live()
}

fn report(moment: &str) {
    say(format_args!("\n{moment}:\n"));
    mm::print_memory_usage(None);
    say("");
    mm::print_block_usage();
}

fn prove_that_nothing_is_live() -> ExitCode {
    let snapshot = mm::snapshot();
    let (blocks, units) = (snapshot.live_blocks(), snapshot.live_units());
    let (allocated, released) = (snapshot.blocks_allocated(), snapshot.blocks_released());
    say(format_args!(
        "\nLive: {blocks} blocks, {units} units. Allocated {allocated} blocks, released {released}."
    ));
    match mm::check() {
        Ok(()) => say("A walk through all pages finds the same."),
        Err(differs) => {
            say(differs);
            return ExitCode::FAILURE;
        }
    }
    let nothing_is_live = blocks == 0 && units == 0 && allocated == released;
    ExitCode::from(u8::from(!nothing_is_live))
}

/// Prints a line. A closed pipe is no error, as with the reports.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
