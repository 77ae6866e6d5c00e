//! All figures of all runs.

use std::collections::HashMap;

/// The figures by row and rival, one for each run.
#[derive(Debug, Default)]
pub struct Figures(HashMap<(String, String), Vec<f64>>);

impl Figures {
    /// Adds the figures that a process printed.
    pub fn read(&mut self, printed: &str) {
        for line in printed.lines() {
            let mut cells = line.split('\t');
            let (row, rival) = (cells.next(), cells.next());
            let figure = cells.next().and_then(|cell| cell.parse().ok());
            if let (Some(row), Some(rival), Some(figure)) = (row, rival, figure) {
                self.add(row, rival, figure);
            }
        }
    }

    /// Adds the figure of one run.
    pub fn add(&mut self, row: &str, rival: &str, figure: f64) {
        let key = (row.to_owned(), rival.to_owned());
        self.0.entry(key).or_default().push(figure);
    }

    /// Returns the median of the runs, or `None` if the rival cannot do the row.
    pub fn median(&self, row: &str, rival: &str) -> Option<f64> {
        let mut figures = self.0.get(&(row.to_owned(), rival.to_owned()))?.clone();
        figures.sort_by(f64::total_cmp);
        let upper = figures[figures.len() / 2];
        let lower = figures[(figures.len() - 1) / 2];
        Some(f64::midpoint(lower, upper))
    }
}
