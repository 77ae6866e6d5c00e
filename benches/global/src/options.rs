//! The command line's options.

use lexopt::prelude::{Long, ValueExt};

use crate::RIVALS;

/// How to call the program.
pub(crate) const USAGE: &str = "\
Usage: cargo run --release -p mm-global-benches -- [OPTIONS]
  --runs N       runs to take the medians of (5)
  --only WORD    only rows with WORD in their name
  --rivals A,B   only these of: mm, glibc, mimalloc, jemalloc, rpmalloc, snmalloc
  --quick        a quarter of the rounds, for trying
  --write        also write benches/global/results.md";

/// The options.
pub(crate) struct Options {
    pub(crate) runs: usize,
    pub(crate) is_quick: bool,
    pub(crate) is_written: bool,
    pub(crate) is_help: bool,
    /// A part of the names of the selected rows.
    only: String,
    /// The selected rivals, in the order of the columns.
    pub(crate) rivals: Vec<&'static str>,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            runs: 5,
            is_quick: false,
            is_written: false,
            is_help: false,
            only: String::new(),
            rivals: RIVALS.to_vec(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("only") => options.only = parser.value()?.string()?,
                Long("rivals") => options.rivals = names(&parser.value()?.string()?)?,
                Long("quick") => options.is_quick = true,
                Long("write") => options.is_written = true,
                Long("help") => options.is_help = true,
                other => return Err(other.unexpected()),
            }
        }
        if options.is_written && !options.is_whole() {
            return Err(
                "only whole tables are written: leave --quick, --only, --rivals out".into(),
            );
        }
        Ok(options)
    }

    /// Returns whether the tables will be complete, so that they can be recorded.
    fn is_whole(&self) -> bool {
        !self.is_quick && self.only.is_empty() && self.rivals.len() == RIVALS.len()
    }

    /// Returns whether a row of this name is selected.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}

/// Reads a list of rivals.
fn names(list: &str) -> Result<Vec<&'static str>, lexopt::Error> {
    let known = |name: &str| RIVALS.iter().copied().find(|rival| *rival == name);
    let names = list
        .split(',')
        .map(|name| known(name).ok_or_else(|| format!("there is no rival called {name}").into()));
    names.collect()
}
