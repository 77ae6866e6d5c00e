//! The tables, as Markdown that is also legible as plain text.

use std::fmt::Write;

use mm_benches_common::columns;
use mm_benches_common::figures::Figures;

use crate::options::Options;
use crate::ratio::Against;
use crate::rivals::RIVALS;
use crate::workloads::{Row, Table};

/// Returns the report: both tables with their headings and means.
pub(crate) fn report(options: &Options, figures: &Figures, rows: &[Row], machine: &str) -> String {
    let mut text = format!("{machine}\n\nMedians of {} runs", options.runs);
    text.push_str("; less is better. Ratios are of mm to the best of the others.\n");
    for (table, heading) in [
        (Table::Anchors, "Anchors"),
        (Table::Further, "Further workloads"),
    ] {
        let rows: Vec<Row> = rows
            .iter()
            .filter(|row| row.table == table)
            .copied()
            .collect();
        if !rows.is_empty() {
            write!(text, "\n## {heading}\n\n").expect("text takes all");
            text.push_str(&lines(options, figures, &rows));
            text.push_str(&means(figures, &rows));
        }
    }
    text
}

fn lines(options: &Options, figures: &Figures, rows: &[Row]) -> String {
    let figures_of_a_row = rivals(options).count() + 2;
    let mut cells = vec![head(options), columns::rule(3, figures_of_a_row)];
    cells.extend(rows.iter().map(|row| body(options, figures, row)));
    columns::lines(&cells, 3)
}

/// Returns the selected rivals, in the order of the columns.
fn rivals(options: &Options) -> impl Iterator<Item = &'static str> {
    let names = RIVALS.iter().map(|&(rival, _)| rival);
    names.filter(|rival| options.wants_rival(rival))
}

fn head(options: &Options) -> Vec<String> {
    let front = ["row", "what", "unit"].into_iter();
    let back = ["mm / best", "mm / best address"];
    let cells = front.chain(rivals(options)).chain(back);
    cells.map(str::to_owned).collect()
}

fn body(options: &Options, figures: &Figures, row: &Row) -> Vec<String> {
    let mut cells = [row.name, row.what, row.unit].map(str::to_owned).to_vec();
    cells.extend(rivals(options).map(|rival| columns::or_dash(figures.median(row.name, rival))));
    let ratios = [Against::All, Against::Addresses].map(|against| against.ratio(figures, row));
    cells.extend(ratios.map(of_ratio));
    cells
}

fn of_ratio(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn means(figures: &Figures, rows: &[Row]) -> String {
    let times: Vec<Row> = rows
        .iter()
        .filter(|row| row.unit == "ns")
        .copied()
        .collect();
    let mean = |against: Against, rows: &[Row]| of_ratio(against.mean(figures, rows));
    let (all, addresses) = (Against::All, Against::Addresses);
    format!(
        "\nGeometric mean of the ratios: {} to the best, {} to the best that gives out addresses \
         (times alone: {} and {}).\n",
        mean(all, rows),
        mean(addresses, rows),
        mean(all, &times),
        mean(addresses, &times),
    )
}
