//! A snapshot as OpenMetrics text, version 1.0.0.

mod label;

#[cfg(test)]
mod check;
#[cfg(test)]
mod tests;

use core::fmt::{self, Display, Formatter};

use self::label::Labels;
use crate::snapshot::{FAMILY_FIGURES, Figure, Kind, PROCESS_FIGURES, Snapshot};

/// A snapshot as [OpenMetrics] text, which Prometheus and most other monitoring systems read.
///
/// Displaying it does not allocate. [`Snapshot::openmetrics`] returns it, and documents its content.
///
/// [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
///
/// # Examples
///
/// A response to a scrape:
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
    /// `version` (of the crate). Two families may differ in only one of them. Families that share path,
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
        for (name, figure) in metrics(PROCESS_FIGURES) {
            if let Some(value) = (figure.of)(self.snapshot) {
                write_heading(f, name, figure)?;
                writeln!(f, "{name}{} {value}", suffix(figure.kind))?;
            }
        }
        for (name, figure) in metrics(FAMILY_FIGURES) {
            write_heading(f, name, figure)?;
            for family in &self.snapshot.families {
                if let Some(value) = (figure.of)(family) {
                    let (suffix, labels) = (suffix(figure.kind), Labels(family));
                    writeln!(f, "{name}{suffix}{{{labels}}} {value}")?;
                }
            }
        }
        f.write_str("# EOF")
    }
}

/// Returns the figures that have a metric, with its name.
fn metrics<T>(figures: &[Figure<T>]) -> impl Iterator<Item = (&'static str, &Figure<T>)> {
    figures
        .iter()
        .filter_map(|figure| Some((figure.metric?, figure)))
}

/// Writes the metadata of a metric, which comes before its samples.
fn write_heading<T>(f: &mut Formatter<'_>, name: &str, figure: &Figure<T>) -> fmt::Result {
    writeln!(f, "# TYPE {name} {}", type_name(figure.kind))?;
    if let Some(unit) = figure.unit {
        writeln!(f, "# UNIT {name} {unit}")?;
    }
    writeln!(f, "# HELP {name} {}", figure.help)
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
    }
}

/// Returns the end of a sample's name.
fn suffix(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "",
        Kind::Counter => "_total",
    }
}
