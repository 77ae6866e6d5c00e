//! The ratio of mm to the best of the other allocators.

use crate::rivals::{KEYED, OURS, RIVALS};
use crate::workloads::Row;
use mm_benches_common::clock::count;
use mm_benches_common::figures::Figures;

/// Below this, figures are as good as each other: a share of nothing has no ratio.
const LEAST: f64 = 0.1;

/// Which rivals mm is compared to.
#[derive(Clone, Copy)]
pub(crate) enum Against {
    /// All of them.
    All,
    /// Those that give out addresses, as mm does.
    Addresses,
}

impl Against {
    fn includes(self, rival: &str) -> bool {
        match self {
            Self::All => rival != OURS,
            Self::Addresses => rival != OURS && rival != KEYED,
        }
    }

    /// Returns mm's figure divided by the least of the others; all figures are the better the
    /// less they are.
    pub(crate) fn ratio(self, figures: &Figures, row: &Row) -> Option<f64> {
        let ours = figures.median(row.name, OURS)?;
        let others = RIVALS.iter().filter(|(rival, _)| self.includes(rival));
        let best = others
            .filter_map(|(rival, _)| figures.median(row.name, rival))
            .min_by(f64::total_cmp)?;
        Some(ours.max(LEAST) / best.max(LEAST))
    }

    /// Returns the geometric mean of the ratios of some rows.
    pub(crate) fn mean(self, figures: &Figures, rows: &[Row]) -> Option<f64> {
        let ratios = rows.iter().filter_map(|row| self.ratio(figures, row));
        let logarithms: Vec<f64> = ratios.map(f64::ln).collect();
        let sum: f64 = logarithms.iter().sum();
        (!logarithms.is_empty()).then(|| (sum / count(logarithms.len() as u64)).exp())
    }
}
