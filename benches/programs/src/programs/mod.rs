//! The programs.

mod index;
mod json;
mod load;
mod search;
mod server;
mod sql;

use std::path::Path;

/// A program by name.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The name, which selects it.
    pub name: &'static str,
    /// What it does, in a few words.
    pub what: &'static str,
    /// Does it with the input in a folder, and prints figures.
    pub(crate) run: fn(&Path),
}

/// All programs, in the order of the table.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "search",
        what: "ripgrep's searcher looks for a pattern in the tree of sources, with two threads",
        run: search::run,
    },
    Program {
        name: "json",
        what: "serde_json parses 100 MB into a `Value`",
        run: json::run,
    },
    Program {
        name: "sql",
        what: "sqlparser parses 100 MB of statements",
        run: sql::run,
    },
    Program {
        name: "index",
        what: "tantivy indexes the tree of sources",
        run: index::run,
    },
    Program {
        name: "server",
        what: "a hyper server answers 200,000 requests of 64 connections; server and load have a core each",
        run: server::run,
    },
];
