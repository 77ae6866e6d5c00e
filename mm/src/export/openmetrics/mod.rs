//! A snapshot as OpenMetrics text, version 1.0.0.

mod label;
mod metric;

#[cfg(test)]
mod check;
#[cfg(test)]
mod tests;

use core::fmt::{self, Display, Formatter};

use self::label::Labels;
use self::metric::{FAMILY_METRICS, Metric, PROCESS_METRICS};
use crate::snapshot::Snapshot;

/// A snapshot as [OpenMetrics] text, which Prometheus and most other monitoring systems read.
///
/// Displaying it does not allocate. [`Snapshot::openmetrics`] returns it, and documents its content.
///
/// [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
///
/// # Examples
///
/// An answer to a scrape:
///
/// ```
/// use mm::OpenMetrics;
///
/// let snapshot = mm::snapshot();
/// let answer = format!(
///     "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n{}\n",
///     OpenMetrics::CONTENT_TYPE,
///     snapshot.openmetrics(),
/// );
/// assert!(answer.ends_with("# EOF\n"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenMetrics<'a> {
    snapshot: &'a Snapshot,
}

impl OpenMetrics<'_> {
    /// Content type of the text, for an HTTP response.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl Snapshot {
    /// Returns every figure as [OpenMetrics] text of version 1.0.0.
    ///
    /// Each page family has gauges such as `mm_family_live_bytes`, and counters such as
    /// `mm_family_allocated_blocks_total`. The process has `mm_process_resident_bytes` and others.
    /// The last word of a name is the unit, which `# UNIT` repeats: `bytes`, `blocks`, `units` (of
    /// the family's size), `pages` or `calls`. Counters count from the start of the process.
    ///
    /// Figures that the system does not report have no sample: see `mm_resident_is_measured`.
    ///
    /// The labels of a family are `family` (its name), `path`, `location` (`file:line:column`) and
    /// `version` (of the crate): two families may share all but one of them. Families that share path,
    /// location and version have another label `nth`, from the second (`2`) on. In all labels, characters
    /// that control a terminal or are invisible are escaped as in Rust source: `\n`, `\u{1b}`.
    ///
    /// The text ends with `# EOF`, without a line feed, as other reports do.
    ///
    /// [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("openmetrics-doc:rows", Layout::new::<u64>())?.alloc(3)?;
    /// let text = mm::snapshot().openmetrics().to_string();
    /// let sample = text
    ///     .lines()
    ///     .find(|line| line.starts_with("mm_family_live_bytes{family=\"openmetrics-doc:rows\","));
    /// assert!(sample.is_some_and(|line| line.ends_with("} 24")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn openmetrics(&self) -> OpenMetrics<'_> {
        OpenMetrics { snapshot: self }
    }
}

impl Display for OpenMetrics<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for metric in PROCESS_METRICS {
            if let Some(figure) = (metric.figure)(self.snapshot) {
                write_heading(f, metric)?;
                writeln!(f, "{}{} {figure}", metric.name, metric.kind.suffix())?;
            }
        }
        for metric in FAMILY_METRICS {
            write_heading(f, metric)?;
            for family in &self.snapshot.families {
                let (suffix, labels) = (metric.kind.suffix(), Labels(family));
                if let Some(figure) = (metric.figure)(family) {
                    writeln!(f, "{}{suffix}{{{labels}}} {figure}", metric.name)?;
                }
            }
        }
        f.write_str("# EOF")
    }
}

/// Writes what a reader is told before the samples of a metric.
fn write_heading<F>(f: &mut Formatter<'_>, metric: &Metric<F>) -> fmt::Result {
    let Metric { name, help, .. } = metric;
    writeln!(f, "# TYPE {name} {}", metric.kind.name())?;
    if let Some(unit) = metric.unit {
        writeln!(f, "# UNIT {name} {unit}")?;
    }
    writeln!(f, "# HELP {name} {help}")
}
