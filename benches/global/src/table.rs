//! The tables, as Markdown that is also legible as plain text.

use std::fmt::Write;

use mm_benches_common::clock::count;
use mm_benches_common::columns;
use mm_benches_common::figures::Figures;
use mm_global_benches::{BURST, BURST_FIGURES, Row, START, START_FIGURES};

use crate::options::Options;
use crate::{MAIN_RIVAL, OURS};

/// Columns of words, before those of figures.
const TEXTS: usize = 2;

/// A line of a table: the name that its figures have, and what it says.
struct Line {
    name: String,
    what: &'static str,
}

/// Returns the report: tables of times, largest resident sizes, what a burst leaves, and a start, with their means.
pub(crate) fn report(options: &Options, figures: &Figures, rows: &[Row], machine: &str) -> String {
    let runs = options.runs;
    let mut text = format!(
        "{machine}\n\nMedians of {runs} runs; less is better. The last line of a table has the geometric means of \
         mm's figures divided by those of each rival.\n"
    );
    let tables = [
        (
            "Time of one operation",
            "CPU time of all threads, in ns; wall time where the row says so.",
            rows.iter().flat_map(times).collect(),
        ),
        (
            "Largest resident size",
            "Of the process, in MB.",
            rows.iter().map(peak).collect(),
        ),
        (
            "What is kept",
            "Beyond the resident size before the burst, in MB.",
            lines_of(options, BURST, &BURST_FIGURES),
        ),
        (
            "A program that does nothing",
            "What the allocator adds is the difference to glibc's.",
            lines_of(options, START, &START_FIGURES),
        ),
    ];
    for (heading, unit, lines) in tables {
        let lines: Vec<Line> = lines;
        if !lines.is_empty() {
            let table = table(options, figures, &lines);
            write!(text, "\n## {heading}\n\n{unit}\n\n{table}").expect("text takes all");
        }
    }
    text
}

/// Returns the lines of figures that are no rows, if their name is selected.
fn lines_of(options: &Options, name: &str, figures: &[(&str, &'static str)]) -> Vec<Line> {
    let wanted = figures.iter().filter(|_| options.wants(name));
    let line = |&(name, what): &(&str, &'static str)| Line {
        name: name.to_owned(),
        what,
    };
    wanted.map(line).collect()
}

fn times(row: &Row) -> Vec<Line> {
    let (name, what) = (row.name.to_owned(), row.what);
    let wall = row.is_threaded.then(|| Line {
        name: format!("{name}, wall"),
        what: "the same, wall time",
    });
    let cpu = Line { name, what };
    [cpu].into_iter().chain(wall).collect()
}

fn peak(row: &Row) -> Line {
    Line {
        name: format!("{}, peak", row.name),
        what: row.what,
    }
}

fn table(options: &Options, figures: &Figures, lines: &[Line]) -> String {
    let head = head(options);
    let mut cells = vec![columns::rule(TEXTS, head.len() - TEXTS)];
    cells.insert(0, head);
    cells.extend(lines.iter().map(|line| body(options, figures, line)));
    cells.push(means(options, figures, lines));
    columns::lines(&cells, TEXTS)
}

fn head(options: &Options) -> Vec<String> {
    let back = [format!("mm / {MAIN_RIVAL}"), "mm / best".to_owned()];
    let front = ["row", "what"]
        .into_iter()
        .chain(options.rivals.iter().copied());
    front.map(str::to_owned).chain(back).collect()
}

fn body(options: &Options, figures: &Figures, line: &Line) -> Vec<String> {
    let mut cells = vec![line.name.clone(), line.what.to_owned()];
    let rivals = options.rivals.iter();
    cells.extend(rivals.map(|rival| columns::or_dash(figures.median(&line.name, rival))));
    let main = ratio(figures, line, MAIN_RIVAL);
    cells.extend([main, of_best(options, figures, line)].map(of_ratio));
    cells
}

/// Returns the line of geometric means: below each rival, and of the best figures of each row.
fn means(options: &Options, figures: &Figures, lines: &[Line]) -> Vec<String> {
    let mean_of =
        |ratio: &dyn Fn(&Line) -> Option<f64>| of_ratio(mean(lines.iter().filter_map(ratio)));
    let mut cells = vec!["mm / this".to_owned(), "geometric mean".to_owned()];
    for rival in &options.rivals {
        cells.push(mean_of(&|line| ratio(figures, line, rival)));
    }
    cells.push(mean_of(&|line| ratio(figures, line, MAIN_RIVAL)));
    cells.push(mean_of(&|line| of_best(options, figures, line)));
    cells
}

/// Returns mm's figure divided by that of a rival.
fn ratio(figures: &Figures, line: &Line, rival: &str) -> Option<f64> {
    Some(figures.median(&line.name, OURS)? / figures.median(&line.name, rival)?)
}

/// Returns mm's figure divided by the smallest of the others.
fn of_best(options: &Options, figures: &Figures, line: &Line) -> Option<f64> {
    let others = options.rivals.iter().filter(|rival| **rival != OURS);
    let ratios = others.filter_map(|rival| ratio(figures, line, rival));
    ratios.max_by(f64::total_cmp)
}

fn mean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<f64> = ratios.map(f64::ln).collect();
    let sum: f64 = logarithms.iter().sum();
    (!logarithms.is_empty()).then(|| (sum / count(logarithms.len() as u64)).exp())
}

fn of_ratio(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
}
