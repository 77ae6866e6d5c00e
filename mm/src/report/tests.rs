//! Whole reports against the files in `golden`.

use crate::golden::check_golden;
use crate::snapshot::samples::{family, huge, indexd, snapshot};
use crate::snapshot::{FamilySnapshot, Location, Snapshot};

/// Compares a report with a file in `golden`.
macro_rules! check {
    ($name:literal, $report:expr) => {
        check_golden!(concat!("report/golden/", $name), $report)
    };
}

/// Puts the three reports of a snapshot one below the other.
fn all(snapshot: &Snapshot) -> String {
    let families = snapshot.page_families();
    let (memory, blocks) = (snapshot.memory_usage(None), snapshot.block_usage());
    format!("{families}\n\n{memory}\n\n{blocks}")
}

#[test]
fn sample_of_the_contract() {
    check!("indexd.txt", all(&indexd()));
}

#[test]
fn no_families() {
    check!("empty.txt", all(&snapshot(vec![])));
}

#[test]
fn one_family() {
    let mut one = indexd();
    one.families.retain(|f| f.name == "Posting");
    check!("one.txt", all(&one));
    check!("one_by_name.txt", indexd().memory_usage("Posting"));
    let by_path = indexd().memory_usage("indexd::index::Posting").to_string();
    assert_eq!(by_path, indexd().memory_usage("Posting").to_string());
}

#[test]
fn odd_names_are_whole_and_on_one_line() {
    let long = String::leak("Long".repeat(30) + "End");
    let names: [&'static str; 7] = [
        "",
        "Größe",
        "型",
        "two\nlines\r\tand\u{1b}[31m",
        "turned\u{202e}around\u{2028}",
        "back\\slash \"quoted\"",
        long,
    ];
    let odd = names.map(|name| FamilySnapshot {
        run_time: true,
        ..family(name, name)
    });
    let odd = snapshot(odd.into());
    check!("odd_names.txt", all(&odd));
    check!(
        "odd_unknown.txt",
        odd.memory_usage("two\nlines\r\tand\u{1b}[32m")
    );
}

#[test]
fn shared_names_are_told_apart() {
    let at = |name, path, line, version| FamilySnapshot {
        location: Location::new("src/lib.rs", line, 5, version),
        ..family(name, path)
    };
    let shared = snapshot(vec![
        at("Node", "tree::Node", 9, "0.1.0"),
        at("Node", "list::Node", 3, "0.1.0"),
        at("Item", "util::Item", 1, "1.0.0"),
        at("Item", "util::Item", 1, "2.0.0"),
        at("Alone", "util::Alone", 2, "2.0.0"),
    ]);
    check!("shared_names.txt", all(&shared));
    check!("shared_by_name.txt", shared.memory_usage("Node"));
}

#[test]
fn labels_are_never_the_same_text() {
    let run_time = |name| FamilySnapshot {
        run_time: true,
        location: Location::new("src/plugins.rs", 88, 17, "0.1.0"),
        ..family(name, name)
    };
    let tricky = snapshot(vec![
        family("Node", "tree::Node"),
        family("Node", "list::Node"),
        run_time("tree::Node"),
        run_time("Node"),
    ]);
    check!("tricky_labels.txt", tricky.page_families());
}

#[test]
fn unknown_names() {
    let sample = indexd();
    let ask = |name| sample.memory_usage(name).to_string();
    assert_eq!(
        ask("Sesion"),
        "no page family is named `Sesion`; similar names: `Session`"
    );
    assert_eq!(
        ask("gzip"),
        "no page family is named `gzip`; similar names: `plugin:gzip`"
    );
    assert_eq!(
        ask("indexd::Session::session2"),
        "no page family is named `indexd::Session::session2`; \
         similar names: `indexd::session::Session`, `Session`"
    );
    assert_eq!(ask("Frobnicate"), "no page family is named `Frobnicate`");
    assert_eq!(
        snapshot(vec![]).memory_usage("Emp").to_string(),
        "no page family is named `Emp`"
    );
}

#[test]
fn near_names_are_the_three_nearest_and_each_once() {
    let names = [
        "Nodes",
        "Nod",
        "Node",
        "Node",
        "nodE",
        "Nodular",
        "NodeXXXXXXXX",
    ];
    let many = names.map(|name| family(name, name));
    let answer = snapshot(many.into()).memory_usage("NODE").to_string();
    assert_eq!(
        answer,
        "no page family is named `NODE`; similar names: `Node`, `nodE`, `Nod`"
    );
}

#[test]
fn a_prefix_is_no_match() {
    let sample = indexd();
    assert!(sample.family("Post").is_none());
    assert!(
        sample
            .memory_usage("Post")
            .to_string()
            .starts_with("no page family")
    );
}

#[test]
fn huge_figures() {
    check!("huge.txt", all(&huge()));
}

#[test]
fn units_without_size() {
    let mark = FamilySnapshot {
        unit_size: 0,
        unit_align: 1,
        units_per_page: 0,
        first_page_units: 0,
        live_blocks: 5,
        live_units: 12,
        blocks_allocated: 10,
        blocks_released: 5,
        ..family("Mark", "demo::Mark")
    };
    check!("no_size.txt", all(&snapshot(vec![mark])));
}

#[test]
fn colours() {
    let mut sample = indexd();
    let term = sample.families.iter_mut().find(|f| f.name == "Term");
    term.unwrap().occupied_page_bytes *= 10;
    let families = sample.page_families().coloured(true);
    let memory = sample.memory_usage(None).coloured(true);
    let blocks = sample.block_usage().coloured(true);
    check!(
        "coloured.txt",
        format!("{families}\n\n{memory}\n\n{blocks}")
    );
    let plain = sample.memory_usage(None).coloured(false);
    assert!(!plain.to_string().contains('\u{1b}'));
}

#[test]
fn what_the_system_does_not_say_is_not_measured() {
    let mut odd = indexd();
    let line = |odd: &Snapshot| {
        let text = odd.memory_usage(None).to_string();
        let line = text
            .lines()
            .find(|line| line.starts_with("process resident"));
        line.expect("one line").to_owned()
    };
    odd.process_resident_bytes = Some(1_000);
    let unknown = "process resident: not measured; families: 401.0 MiB; mm's records: 2.1 MiB; \
                   elsewhere (String, Vec, ...): not measured";
    assert_eq!(line(&odd), unknown);
    odd.process_resident_bytes = None;
    assert_eq!(line(&odd), unknown);
    odd.process_resident_bytes = Some(512 << 20);
    odd.families[1].resident_bytes = None;
    odd.resident_is_measured = false;
    check!("unmeasured.txt", odd.memory_usage(None));
    odd.records_resident_bytes = None;
    assert_eq!(
        line(&odd),
        "process resident: 512.0 MiB; families: not measured; mm's records: not measured; \
         elsewhere (String, Vec, ...): not measured"
    );
}

#[test]
fn changes() {
    let earlier = indexd();
    let mut later = indexd();
    let find = |s: &mut Snapshot, name| s.families.iter().position(|f| f.name == name).unwrap();
    let posting = find(&mut later, "Posting");
    later.families[posting].live_units -= 1_000;
    later.families[posting].live_bytes -= 36_000;
    later.families[posting].blocks_released += 1_000;
    let term = find(&mut later, "Term");
    later.families[term].live_units += 7;
    later.families[term].live_bytes += 112;
    later.families[term].blocks_allocated += 7;
    let cursor = find(&mut later, "Cursor");
    later.families.remove(cursor);
    later.families.push(FamilySnapshot {
        live_units: 1,
        live_bytes: 8,
        ..family("New", "indexd::New")
    });
    check!("diff.txt", later.diff(&earlier));
    check!("diff_none.txt", later.diff(&later));
}

#[test]
fn rows_follow_the_figures_even_of_a_changed_list() {
    let mut sample = indexd();
    sample.families.reverse();
    sample.families.truncate(4);
    let text = sample.memory_usage(None).to_string();
    let rows: Vec<&str> = text.lines().filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(rows[1..5], ["Session", "Cursor", "Term", "plugin:gzip"]);
}
