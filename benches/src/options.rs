//! The command line's options.

use std::fmt;

use lexopt::prelude::{Long, ValueExt};

use crate::rivals::RIVALS;
use crate::workloads::{Row, Workload};

/// How to call the program.
pub(crate) const USAGE: &str = "\
Usage: cargo run --profile compare -p mm-benches -- [OPTIONS]
  --runs N       runs to take the medians of (5)
  --only WORD    only rows with WORD in their name
  --rivals A,B   only these of: mm, glibc, mimalloc, jemalloc, rpmalloc, rallocator, plurality, slab
  --quick        smaller sizes, for trying; not for comparing
  --write        also write benches/results.md and benches/results.svg";

/// The options.
pub(crate) struct Options {
    pub(crate) runs: usize,
    pub(crate) is_quick: bool,
    pub(crate) is_written: bool,
    pub(crate) is_help: bool,
    /// A part of the names of the selected rows.
    pub(crate) only: String,
    pub(crate) rivals: Vec<String>,
    /// Set only by the program, for the processes that it starts: the part of a run to measure.
    pub(crate) child: Option<Part>,
}

/// The part of a run that one process measures.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Counts the runs; the order of the rivals depends on it.
    pub(crate) run: usize,
    /// The index of the only workload of the process, in the catalogue.
    pub(crate) alone: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runs: 5,
            is_quick: false,
            is_written: false,
            is_help: false,
            only: String::new(),
            rivals: RIVALS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            child: None,
        }
    }
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("only") => options.only = parser.value()?.string()?,
                Long("rivals") => options.rivals = names(&parser.value()?.string()?)?,
                Long("quick") => options.is_quick = true,
                Long("write") => options.is_written = true,
                Long("help") => options.is_help = true,
                Long("child") => options.child = Some(part(&parser.value()?.string()?)?),
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
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_quick && self.only.is_empty() && self.rivals.len() == RIVALS.len()
    }

    /// Returns whether a rival is selected.
    pub(crate) fn wants_rival(&self, name: &str) -> bool {
        self.rivals.iter().any(|rival| rival == name)
    }

    /// Returns whether a row is selected.
    pub(crate) fn wants_row(&self, row: &Row) -> bool {
        row.name.contains(&self.only)
    }

    /// Returns whether a workload is selected: it fills a selected row.
    pub(crate) fn wants(&self, workload: &Workload) -> bool {
        workload.rows.iter().any(|row| self.wants_row(row))
    }
}

/// Reads a list of rivals.
fn names(list: &str) -> Result<Vec<String>, lexopt::Error> {
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    let is_known = |name: &String| RIVALS.iter().any(|(rival, _)| rival == name);
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(format!("there is no rival called {name}").into()),
        None => Ok(names),
    }
}

/// Reads the text that [`Part`]'s `Display` writes.
fn part(text: &str) -> Result<Part, lexopt::Error> {
    let number = |digits: &str| digits.parse::<usize>().map_err(|error| error.to_string());
    let (run, alone) = text.split_once(':').unwrap_or((text, ""));
    let alone = (!alone.is_empty()).then(|| number(alone)).transpose()?;
    let run = number(run)?;
    Ok(Part { run, alone })
}

impl fmt::Display for Part {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alone {
            Some(workload) => write!(to, "{}:{workload}", self.run),
            None => write!(to, "{}", self.run),
        }
    }
}
