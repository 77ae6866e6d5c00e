//! Look-up, order, totals and changes, on families made by hand.

use super::samples::{family, huge, indexd, snapshot};
use super::{FAMILY_FIGURES, FamilySnapshot, Figure, Kind, Location, Snapshot};
use crate::golden::compare_part;

fn named(families: &[(&'static str, &'static str)]) -> Snapshot {
    snapshot(
        families
            .iter()
            .map(|(name, path)| family(name, path))
            .collect(),
    )
}

#[test]
fn families_are_sorted_by_path() {
    let paths: Vec<_> = named(&[("B", "b::B"), ("Z", "a::Z"), ("A", "c::A")])
        .families
        .iter()
        .map(|f| f.path)
        .collect();
    assert_eq!(paths, ["a::Z", "b::B", "c::A"]);
}

#[test]
fn look_up() {
    let both = named(&[
        ("Node", "tree::Node"),
        ("Node", "list::Node"),
        ("Leaf", "tree::Leaf"),
    ]);
    let path = |asked: &str| both.family(asked).map(|f| f.path);
    assert_eq!(path("Leaf"), Some("tree::Leaf"));
    assert_eq!(path("tree::Node"), Some("tree::Node"));
    assert_eq!(path("Node"), None);
    assert_eq!(path("Lea"), None);
    assert_eq!(path("leaf"), None);
    assert_eq!(both.families_named("Node").count(), 2);
}

#[test]
fn the_end_of_a_path_is_enough() {
    let all = named(&[
        ("Node", "app::tree::Node"),
        ("Node", "app::list::Node"),
        ("Tip", "app::tree::Leaf"),
        ("tree::Leaf", "app::other::Leaf"),
    ]);
    let path = |asked: &str| all.family(asked).map(|f| f.path);
    assert_eq!(path("list::Node"), Some("app::list::Node"));
    // What a family is called goes first.
    assert_eq!(path("tree::Leaf"), Some("app::other::Leaf"));
    assert_eq!(path("Leaf"), None);
    assert_eq!(all.families_named("Leaf").count(), 2);
    assert_eq!(all.families_named("ist::Node").count(), 0);
    let usage = all.memory_usage("list::Node").to_string();
    assert_eq!(usage.matches("Node").count(), 1, "{usage}");
}

#[test]
fn a_path_goes_before_a_name() {
    let mixed = named(&[("Node", "tree::Node"), ("Node", "Node")]);
    assert_eq!(mixed.family("Node").map(|f| f.path), Some("Node"));
    let twice = named(&[("A", "x::T"), ("B", "x::T"), ("x::T", "y::U")]);
    assert!(twice.family("x::T").is_none());
}

#[test]
fn totals() {
    let sample = indexd();
    assert_eq!(sample.live_units(), 4_133_773);
    assert_eq!(sample.live_bytes(), 355_739_960);
    assert_eq!(sample.cached_bytes(), 512 * 36);
    assert_eq!(
        sample.blocks_allocated() - sample.blocks_released(),
        sample.live_blocks()
    );
    assert_eq!(huge().live_bytes(), u64::MAX);
    assert_eq!(huge().cached_bytes(), u64::MAX);
}

#[track_caller]
fn shares_make_one(family: &FamilySnapshot) {
    let shares = [
        family.utilisation(),
        family.external_fragmentation(),
        family.internal_fragmentation(),
    ];
    assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
    let sum: f64 = shares.iter().sum();
    let wanted = if family.occupied_page_bytes == 0 {
        0.0
    } else {
        1.0
    };
    assert!((sum - wanted).abs() < 1e-12);
}

#[test]
fn shares() {
    indexd().families.iter().for_each(shares_make_one);
    huge().families.iter().for_each(shares_make_one);
    let racing = FamilySnapshot {
        occupied_page_bytes: 100,
        occupied_page_free_bytes: 90,
        live_bytes: 20,
        ..family("Racing", "Racing")
    };
    shares_make_one(&racing);
}

#[test]
fn changes_are_cut_to_what_fits() {
    let (none, most) = (snapshot(vec![]), huge());
    let up = most.diff(&none);
    assert_eq!(up.families.len(), 2);
    assert!(up.changed().all(|f| f.live_bytes == i64::MAX));
    let down = none.diff(&most);
    assert!(down.changed().all(|f| f.live_bytes == i64::MIN));
    assert_eq!(most.diff(&most).changed().count(), 0);
}

#[test]
fn places_leave_out_what_is_not_known() {
    let numbers = |line, column| Location::new("a", line, column, "").numbers().to_string();
    assert_eq!(numbers(17, 5), ":17:5");
    assert_eq!(numbers(17, 0), ":17");
    assert_eq!(numbers(0, 0), "");
}

#[test]
fn changes_are_those_of_the_figures() {
    let (mut earlier, mut later) = (family("A", "a::A"), family("A", "a::A"));
    let mut numbers = 1..;
    earlier.set_figures(|| numbers.next().expect("there is no end"));
    let mut squares = (1..).map(|number| number * number);
    later.set_figures(|| squares.next().expect("there is no end"));
    let diff = snapshot(vec![later.clone()]).diff(&snapshot(vec![earlier.clone()]));
    let change = &diff.families[0];
    assert!(change.is_changed());
    let between = |of: fn(&FamilySnapshot) -> u64| (of(&later) - of(&earlier)).cast_signed();
    assert_eq!(change.live_blocks, between(|f| f.live_blocks));
    assert_eq!(change.kernel_calls, between(|f| f.kernel_calls));
    assert_eq!(
        change.resident_bytes,
        Some(between(|f| f.resident_bytes.unwrap_or(0)))
    );
}

/// `docs/figures.md` has one row for each figure of the table.
#[test]
#[cfg_attr(miri, ignore = "reads a file")]
fn the_documentation_lists_all_figures() {
    let row = |figure: &Figure<FamilySnapshot>| {
        let metric = figure.metric.map_or(String::new(), |name| {
            let suffix = ["", "_total"][usize::from(figure.kind == Kind::Counter)];
            format!("`{name}{suffix}`")
        });
        let unit = figure.unit.unwrap_or("");
        let (name, help) = (figure.name, figure.help);
        format!("| `{name}` | {unit} | {metric} | {help} |\n")
    };
    let rows: String = FAMILY_FIGURES.iter().map(row).collect();
    let around = ["| --- | --- | --- | --- |\n", "\nFigures whose"];
    compare_part("../docs/figures.md", around, &rows);
}
