//! A SQL parser: statements into syntax trees.

use std::fs;
use std::path::Path;

use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::process;

/// Statements whose trees are alive at the same time.
const ALIVE: usize = 1_000;

/// Parses the lines of `sql`, a statement each. The trees of the last thousand are alive.
pub(super) fn run(input: &Path) {
    let text = fs::read_to_string(input.join("sql")).expect("the input is made first");
    let mut alive = Vec::new();
    alive.resize_with(ALIVE, Vec::new);
    let mut statements = 0;
    for (number, line) in text.lines().enumerate() {
        let parsed = Parser::parse_sql(&GenericDialect {}, line).expect("the input is SQL");
        statements += parsed.len() as u64;
        alive[number % ALIVE] = parsed;
    }
    drop(alive);
    process::print_usage(statements);
}
