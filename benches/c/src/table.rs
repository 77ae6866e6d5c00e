//! The table, as Markdown that is also legible as plain text.

use mm_benches_common::columns;
use mm_benches_common::figures::Figures;

use crate::loops::{NO_CALL, ONE_CALL, OURS, RIVALS};
use crate::options::Options;
use crate::workloads::Workload;

/// Columns of words, before those of figures.
const TEXTS: usize = 2;

/// Returns the report: the machine and the table.
pub(crate) fn report(
    options: &Options,
    figures: &Figures,
    workloads: &[Workload],
    machine: &str,
) -> String {
    let mut cells = vec![head(), columns::rule(TEXTS, head().len() - TEXTS)];
    cells.extend(workloads.iter().map(|workload| body(figures, workload)));
    let (runs, lines) = (options.runs, columns::lines(&cells, TEXTS));
    format!(
        "{machine}\n\nMedians of {runs} runs, in ns; less is better. A call: what one more call of an \
         empty function takes\nin the same loop. Over: what mm takes beyond the best of the others.\n\n\
         {lines}"
    )
}

fn head() -> Vec<String> {
    let names = RIVALS.iter().map(|rival| rival.name);
    let cells = ["row", "what"].into_iter().chain(names);
    cells.chain(["a call", "over"]).map(str::to_owned).collect()
}

fn body(figures: &Figures, workload: &Workload) -> Vec<String> {
    let of = |rival: &str| figures.median(workload.name, rival);
    let call = of(ONE_CALL).zip(of(NO_CALL)).map(|(one, none)| one - none);
    let over = of(OURS)
        .zip(best(figures, workload))
        .map(|(ours, best)| ours - best);
    let mut cells = [workload.name, workload.what].map(str::to_owned).to_vec();
    cells.extend(RIVALS.iter().map(|rival| columns::or_dash(of(rival.name))));
    cells.extend([call, over].map(columns::or_dash));
    cells
}

/// Returns the smallest figure of the other allocators.
fn best(figures: &Figures, workload: &Workload) -> Option<f64> {
    let rivals = RIVALS.iter().map(|rival| rival.name);
    let others = rivals.filter(|name| ![OURS, NO_CALL, ONE_CALL].contains(name));
    others
        .filter_map(|name| figures.median(workload.name, name))
        .min_by(f64::total_cmp)
}
