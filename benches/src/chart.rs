//! The chart.

use std::error::Error;
use std::path::Path;

use crate::figures::Figures;
use crate::workloads::Row;

/// Draws.
pub(crate) fn draw(_: &Path, _: &Figures, _: &[Row], _: &str) -> Result<(), Box<dyn Error>> {
    Ok(())
}
