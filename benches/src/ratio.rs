//! The ratio of mm to the best of the other allocators.

use crate::rivals::{KEYED, OURS, RIVALS};
use crate::workloads::Row;
use mm_benches_common::clock::count;
use mm_benches_common::figures::Figures;

/// Figures below this count as equal, because a share of zero has no ratio.
const LEAST: f64 = 0.1;

/// The rivals that mm is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Against {
    /// All rivals.
    All,
    /// The rivals that return addresses, as mm does.
    Addresses,
}

impl Against {
    fn includes(self, rival: &str) -> bool {
        match self {
            Self::All => rival != OURS,
            Self::Addresses => rival != OURS && rival != KEYED,
        }
    }

    /// Returns mm's figure divided by the smallest of the others. Smaller figures are better.
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
