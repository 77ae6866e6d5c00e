//! The command line's options.

use lexopt::prelude::{Long, ValueExt};

/// How to call the program.
pub(crate) const USAGE: &str = "\
Usage: cargo run --release -p mm-c-benches -- [OPTIONS]
  --runs N       runs to take the medians of (15)
  --only WORD    only rows with WORD in their name
  --quick        a tenth of the rounds, for trying; not for comparing
  --write        also write benches/c/results.md";

/// The options.
pub(crate) struct Options {
    pub(crate) runs: usize,
    pub(crate) is_quick: bool,
    pub(crate) is_written: bool,
    pub(crate) is_help: bool,
    /// A part of the names of the selected rows.
    pub(crate) only: String,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            runs: 15,
            is_quick: false,
            is_written: false,
            is_help: false,
            only: String::new(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("only") => options.only = parser.value()?.string()?,
                Long("quick") => options.is_quick = true,
                Long("write") => options.is_written = true,
                Long("help") => options.is_help = true,
                other => return Err(other.unexpected()),
            }
        }
        if options.is_written && (options.is_quick || !options.only.is_empty()) {
            return Err("only whole tables are written: leave --quick and --only out".into());
        }
        Ok(options)
    }
}
