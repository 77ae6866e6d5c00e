//! The command line's options.

use lexopt::prelude::{Long, ValueExt};

use crate::ALLOCATORS;
use mm_program_benches::Program;

/// How to call the program.
pub(crate) const USAGE: &str = "\
Usage: benches/programs/run [OPTIONS]
  --pairs N        pairs of each program with mm and with each other allocator (15)
  --only WORD      only programs with WORD in their name
  --beside A,B     only beside these of: mimalloc, jemalloc, glibc
  --write          also write benches/programs/results.md";

/// The options.
pub(crate) struct Options {
    pub(crate) pairs: usize,
    pub(crate) is_written: bool,
    pub(crate) is_help: bool,
    only: String,
    /// The selected allocators; mm is always first.
    pub(crate) allocators: Vec<&'static str>,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            pairs: 15,
            is_written: false,
            is_help: false,
            only: String::new(),
            allocators: ALLOCATORS.to_vec(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("pairs") => options.pairs = parser.value()?.parse()?,
                Long("only") => options.only = parser.value()?.string()?,
                Long("beside") => {
                    let list = parser.value()?.string()?;
                    options.keep(&list.split(',').collect::<Vec<_>>())?;
                }
                Long("write") => options.is_written = true,
                Long("help") => options.is_help = true,
                other => return Err(other.unexpected()),
            }
        }
        if options.pairs == 0 {
            return Err("at least one pair is measured".into());
        }
        let is_whole = options.only.is_empty() && options.allocators.len() == ALLOCATORS.len();
        if options.is_written && !is_whole {
            return Err("only whole tables are written: leave --only and --beside out".into());
        }
        Ok(options)
    }

    /// Keeps mm and the allocators of these names.
    fn keep(&mut self, names: &[&str]) -> Result<(), lexopt::Error> {
        if let Some(name) = names.iter().find(|name| !ALLOCATORS.contains(name)) {
            return Err(format!("there is no allocator called {name}").into());
        }
        let rivals = &mut self.allocators;
        rivals.retain(|name| *name == crate::OURS || names.contains(name));
        Ok(())
    }

    /// Returns whether a program is selected.
    pub(crate) fn wants(&self, program: &Program) -> bool {
        program.name.contains(&self.only)
    }
}
