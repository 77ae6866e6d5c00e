//! A strict reader of OpenMetrics text, for tests. It panics at text that the specification does not allow.
//!
//! It reads only the part of the format that mm writes: gauges and counters with whole numbers.

use std::collections::{BTreeMap, HashSet};

/// One sample: the labels' values by name, and the figure.
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) figure: u64,
}

/// Metric families by name, without the suffix of counters.
pub(super) type Metrics = BTreeMap<String, MetricFamily>;

/// The text about one metric.
pub(super) struct MetricFamily {
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) help: String,
    pub(super) samples: Vec<Sample>,
}

/// Reads a whole text.
#[track_caller]
pub(super) fn read(text: &str) -> Metrics {
    let body = text.strip_suffix("# EOF").expect("the text ends with EOF");
    let mut lines = body.split_terminator('\n').peekable();
    assert!(
        body.is_empty() || body.ends_with('\n'),
        "EOF has its own line"
    );
    let mut metrics = Metrics::new();
    while let Some(line) = lines.next() {
        let (name, kind) = metadata(line, "TYPE").expect("a metric begins with its type");
        assert!(is_name(name), "{name}");
        assert!(["gauge", "counter"].contains(&kind), "{line}");
        let mut next = |key| {
            let found = lines.next_if(|line| metadata(line, key).is_some())?;
            let (of, what) = metadata(found, key)?;
            assert_eq!(of, name, "metadata is of the metric whose type was said");
            Some(what.to_owned())
        };
        let (unit, help) = (next("UNIT"), next("HELP").expect("every metric has a help"));
        assert!(!help.contains(['\\', '"']), "nothing to escape in {help}");
        if let Some(unit) = &unit {
            assert!(name.ends_with(&format!("_{unit}")), "{name} in {unit}");
        }
        let suffix = if kind == "counter" { "_total" } else { "" };
        let sample_name = format!("{name}{suffix}");
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.push(sample(line, &sample_name));
        }
        let distinct: HashSet<_> = samples.iter().map(|sample| &sample.labels).collect();
        assert_eq!(distinct.len(), samples.len(), "samples of {name} differ");
        let metric = MetricFamily {
            kind: kind.to_owned(),
            unit,
            help,
            samples,
        };
        let before = metrics.insert(name.to_owned(), metric);
        assert!(before.is_none(), "{name} is written in one place");
    }
    metrics
}

/// Splits `# KEY name rest`.
fn metadata<'a>(line: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    let rest = line.strip_prefix("# ")?.strip_prefix(key)?;
    rest.strip_prefix(' ')?.split_once(' ')
}

/// Returns whether a text is a name without colons, which the grammar allows and mm does not use.
fn is_name(text: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_first) && text.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

/// Reads `name{labels} figure` or `name figure`.
#[track_caller]
fn sample(line: &str, name: &str) -> Sample {
    let rest = line.strip_prefix(name).expect("a sample has its name");
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest),
        None => (BTreeMap::new(), rest),
    };
    let figure = rest.strip_prefix(' ').expect("one space, then the figure");
    assert!(figure.bytes().all(|b| b.is_ascii_digit()), "{line}");
    Sample {
        labels,
        figure: figure.parse().expect("a whole number"),
    }
}

/// Reads `name="value",...}`, and returns the rest.
#[track_caller]
fn labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label has a value");
        assert!(is_name(name), "{name}");
        let (value, after) = value(after);
        let before = labels.insert(name.to_owned(), value);
        assert!(before.is_none(), "label {name} is there once");
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return (labels, after.strip_prefix('}').expect("labels end")),
        }
    }
}

/// Reads a value up to its quote. Returns it without escapes, and the rest.
#[track_caller]
fn value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next().expect("a value ends") {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => value.push(match characters.next().expect("an escape is whole").1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                c => panic!("no escape: {c}"),
            }),
            (_, c) => value.push(c),
        }
    }
}
