//! The table, as Markdown that is also legible as plain text.

use mm_benches_common::columns;
use mm_program_benches::Program;

use crate::OURS;
use crate::options::Options;
use crate::run::Figure;

/// Columns of words, before those of figures.
const TEXTS: usize = 2;

/// Returns the report: the machine, the table, and what the programs are.
pub(crate) fn report(
    options: &Options,
    programs: &[Program],
    figures: &[Figure],
    machine: &str,
) -> String {
    let head = head(options);
    let mut cells = vec![columns::rule(TEXTS, head.len() - TEXTS)];
    cells.insert(0, head);
    for program in programs {
        for name in names(figures, program) {
            cells.push(body(options, figures, program, name));
        }
    }
    let what = programs
        .iter()
        .map(|program| format!("- {}: {}.\n", program.name, program.what));
    format!(
        "{machine}\n\nMedians of {} processes; less is better. Ratios are of mm to each other allocator: the median \
         of the pairs, and its 95 % interval.\n\n{}\n{}",
        options.pairs,
        columns::lines(&cells, TEXTS),
        what.collect::<String>(),
    )
}

/// Returns the names of a program's figures, in the order in which it prints them.
fn names<'a>(figures: &'a [Figure], program: &Program) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for figure in figures
        .iter()
        .filter(|figure| figure.program == program.name)
    {
        if !names.contains(&&*figure.name) {
            names.push(&figure.name);
        }
    }
    names
}

fn head(options: &Options) -> Vec<String> {
    let front = ["program", "figure"]
        .into_iter()
        .chain(options.allocators.iter().copied());
    let back = rivals(options).map(|rival| format!("mm / {rival}"));
    front.map(str::to_owned).chain(back).collect()
}

fn rivals(options: &Options) -> impl Iterator<Item = &'static str> {
    let all = options.allocators.iter().copied();
    all.filter(|allocator| *allocator != OURS)
}

fn body(options: &Options, figures: &[Figure], program: &Program, name: &str) -> Vec<String> {
    let of = |allocator: &str| values(figures, program, name, allocator);
    let mut cells = vec![program.name.to_owned(), name.to_owned()];
    for allocator in &options.allocators {
        cells.push(columns::short(Interval::of(of(allocator)).median));
    }
    for rival in rivals(options) {
        let pairs = of(OURS).into_iter().zip(of(rival));
        cells.push(Interval::of(pairs.map(|(ours, other)| ours / other).collect()).text());
    }
    cells
}

/// Returns a figure of all turns, in their order.
fn values(figures: &[Figure], program: &Program, name: &str, allocator: &str) -> Vec<f64> {
    let mut found: Vec<&Figure> = figures
        .iter()
        .filter(|figure| figure.program == program.name && figure.allocator == allocator)
        .filter(|figure| figure.name == name)
        .collect();
    found.sort_by_key(|figure| figure.turn);
    found.into_iter().map(|figure| figure.value).collect()
}

/// A median, and the order statistics between which the true median lies with a probability of 95 %.
struct Interval {
    low: f64,
    median: f64,
    high: f64,
}

impl Interval {
    /// # Panics
    ///
    /// If there are no values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let low = rank(values.len());
        Self {
            low: values[low],
            median: f64::midpoint(values[last / 2], values[values.len() / 2]),
            high: values[last - low],
        }
    }

    fn text(&self) -> String {
        format!("{:.3} [{:.3}, {:.3}]", self.median, self.low, self.high)
    }
}

/// Returns how many of `count` values may be left out at each end: the most for which the binomial distribution gives
/// at most 2.5 % to fewer of them below the median. With fewer than six values there is no such interval, and the
/// ends are the least and the greatest.
fn rank(count: usize) -> usize {
    let mut chance = 0.5_f64.powi(i32::try_from(count).expect("few values"));
    let (mut sum, mut below) = (chance, 0);
    while sum <= 0.025 {
        below += 1;
        #[expect(clippy::cast_precision_loss, reason = "few values")]
        let factor = (count - below + 1) as f64 / below as f64;
        chance *= factor;
        sum += chance;
    }
    below.saturating_sub(1)
}
