//! The text against a golden file, and read back with a strict reader.

use super::check::{Metrics, read};
use crate::golden::check_golden;
use crate::shown::Shown;
use crate::snapshot::samples::{family, huge, indexd, snapshot};
use crate::snapshot::{FAMILY_FIGURES, FamilySnapshot, Location, Snapshot};

/// Reads a snapshot's text.
#[track_caller]
fn read_back(snapshot: &Snapshot) -> Metrics {
    read(&snapshot.openmetrics().to_string())
}

/// Returns the figures of a metric by family, in the order of the text.
fn figures<'a>(metrics: &'a Metrics, name: &str) -> Vec<(&'a str, u64)> {
    let samples = &metrics[name].samples;
    samples
        .iter()
        .map(|sample| (sample.labels["family"].as_str(), sample.figure))
        .collect()
}

#[test]
fn sample_of_the_contract() {
    check_golden!("export/golden/openmetrics.txt", indexd().openmetrics());
}

#[test]
fn figures_are_those_of_the_snapshot() {
    let sample = indexd();
    let metrics = read_back(&sample);
    let expect = |name: &str, figure: fn(&FamilySnapshot) -> u64| {
        let expected: Vec<_> = sample
            .families
            .iter()
            .map(|f| (f.name, figure(f)))
            .collect();
        assert_eq!(figures(&metrics, name), expected, "{name}");
    };
    expect("mm_family_live_bytes", |f| f.live_bytes);
    expect("mm_family_allocated_blocks", |f| f.blocks_allocated);
    expect("mm_family_resident_bytes", |f| {
        f.resident_bytes.expect("known")
    });
    assert_eq!(metrics["mm_family_allocated_blocks"].kind, "counter");
    assert_eq!(
        metrics["mm_process_resident_bytes"].samples[0].figure,
        537_290_342
    );
}

#[test]
fn every_figure_has_a_metric() {
    // All figures differ, so a mix-up shows.
    let mut one = family("A", "a::A");
    let mut numbers = 901..;
    one.set_figures(|| numbers.next().expect("there is no end"));
    let figures = FAMILY_FIGURES
        .iter()
        .filter(|figure| figure.metric.is_some());
    let mut expected: Vec<_> = figures.filter_map(|figure| (figure.of)(&one)).collect();
    expected.sort_unstable();
    assert_eq!(expected.len(), 19);
    let text = snapshot(vec![one]);
    let metrics = read_back(&text);
    let of_families = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("mm_family_"));
    let mut found: Vec<_> = of_families
        .map(|(_, metric)| metric.samples[0].figure)
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn every_metric_says_its_unit() {
    let metrics = read_back(&indexd());
    for (name, metric) in &metrics {
        assert!(
            metric.unit.is_some() || name == "mm_resident_is_measured",
            "{name}"
        );
        assert!(metric.help.ends_with('.') || name == "mm_resident_is_measured");
    }
}

#[test]
fn odd_names_come_back_as_they_are_shown() {
    let names = [
        "",
        "Größe",
        "two\nlines\r\t\u{1b}",
        "a\\n\"b\"\\",
        "{x=\"y\"} 1 # EOF",
    ];
    let odd = snapshot(names.map(|name| family(name, name)).into());
    let metrics = read_back(&odd);
    let mut read: Vec<_> = figures(&metrics, "mm_family_live_bytes");
    read.sort_unstable();
    let shown = names.map(|name| Shown(name).to_string());
    let mut expected = shown.each_ref().map(|name| (name.as_str(), 0));
    expected.sort_unstable();
    assert_eq!(read, expected);
    assert!(expected.contains(&(r"two\nlines\r\t\u{1b}", 0)));
}

#[test]
fn families_that_share_name_and_path_are_told_apart() {
    let at = |line, version| FamilySnapshot {
        location: Location::new("src/lib.rs", line, 5, version),
        ..family("Item", "util::Item")
    };
    let metrics = read_back(&snapshot(vec![
        at(1, "1.0.0"),
        at(1, "2.0.0"),
        at(9, "2.0.0"),
    ]));
    let samples = &metrics["mm_family_live_units"].samples;
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[1].labels["location"], "src/lib.rs:1:5");
    assert_eq!(samples[1].labels["version"], "2.0.0");
}

#[test]
fn families_of_one_macro_call_are_told_apart() {
    let twins = [9, 8, 7].map(|live_bytes| FamilySnapshot {
        live_bytes,
        ..family("Item", "util::Item")
    });
    // The strict reader panics if two families have the same labels.
    let metrics = read_back(&snapshot(twins.into()));
    let samples = &metrics["mm_family_live_bytes"].samples;
    let nth = |figure| {
        let sample = samples.iter().find(|sample| sample.figure == figure);
        sample.unwrap().labels.get("nth").map(String::as_str)
    };
    assert_eq!([9, 8, 7].map(nth), [None, Some("2"), Some("3")]);
}

#[test]
fn unreported_figures_are_left_out() {
    let mut unknown = indexd();
    unknown.process_resident_bytes = None;
    unknown.records_resident_bytes = None;
    unknown.families[1].resident_bytes = None;
    unknown.resident_is_measured = false;
    let metrics = read_back(&unknown);
    assert!(!metrics.contains_key("mm_process_resident_bytes"));
    assert!(!metrics.contains_key("mm_records_resident_bytes"));
    let known: Vec<_> = figures(&metrics, "mm_family_resident_bytes");
    assert_eq!(known.len(), unknown.families.len() - 1);
    let left_out = unknown.families[1].name;
    assert!(known.iter().all(|(name, _)| *name != left_out));
    assert_eq!(metrics["mm_resident_is_measured"].samples[0].figure, 0);
}

#[test]
fn no_families_and_huge_ones() {
    let metrics = read_back(&snapshot(vec![]));
    assert!(metrics["mm_family_live_bytes"].samples.is_empty());
    let metrics = read_back(&huge());
    assert_eq!(metrics["mm_family_live_bytes"].samples[1].figure, u64::MAX);
}
