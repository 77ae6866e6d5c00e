//! Exports in the formats of other programs, as users see them.
//!
//! With `MM_FORMATS` in the environment the same goes into that folder, where `tests/formats/run`
//! has the real readers look at it.

use std::fs;
use std::path::Path;
use std::thread;

use mm::{MmBox, MmManaged, Profile, Snapshot, Track};
use serde_json::Value;

/// A type with a name that every format has to escape.
#[derive(MmManaged)]
#[mm(name = "Cached \"page\"\\\n\u{1b}Größe")]
struct Page([u64; 5]);

/// A type of which one in seven is recorded.
#[derive(MmManaged)]
struct Word(u64);

/// A type that is not tracked.
#[derive(MmManaged)]
struct Idle([u8; 3]);

/// Holds some blocks of every kind.
struct Work {
    pages: Vec<MmBox<Page>>,
    rows: Vec<MmBox<[Word]>>,
    idle: MmBox<[Idle]>,
}

impl Work {
    /// Allocates on two threads, and releases half of it.
    fn done() -> Self {
        mm::record_backtraces(32);
        Page::page_family().track(Track::All);
        Word::page_family().track(Track::Every(7));
        let worker = thread::Builder::new().name("worker".to_owned());
        let pages = worker.spawn(|| (0..1_000).map(|n| MmBox::new(Page([n; 5]))).collect());
        let rows = (0..500_u64).map(|n| {
            let units = usize::try_from(n).expect("small") % 40;
            MmBox::from_fn(units, |_| Word(n))
        });
        let mut work = Self {
            rows: rows.collect(),
            pages: pages.expect("a thread").join().expect("no panic"),
            idle: MmBox::from_fn(12, |_| Idle([7; 3])),
        };
        work.pages.truncate(600);
        work.rows.truncate(300);
        assert_eq!((work.pages[5].0[0], work.rows[299][0].0), (5, 299));
        assert_eq!(work.idle[11].0, [7; 3]);
        work
    }
}

/// Writes everything in every format, if a folder is asked for.
fn leave(snapshot: &Snapshot, profile: &Profile) {
    let Some(folder) = std::env::var_os("MM_FORMATS") else {
        return;
    };
    let write = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&folder).join(name), bytes).expect("the folder is there");
    };
    write(
        "snapshot.txt",
        format!("{}\n", snapshot.openmetrics()).as_bytes(),
    );
    write("snapshot.json", snapshot.to_json().as_bytes());
    write("profile.json", profile.to_json().as_bytes());
    write("profile.pb.gz", &profile.to_pprof());
}

/// Returns the family of this path.
#[track_caller]
fn family_in<'a>(document: &'a Value, path: &str) -> &'a Value {
    let families = document["families"].as_array().expect("a list");
    let mut found = families.iter().filter(|family| family["path"] == path);
    found.next().expect("the family is listed")
}

#[test]
fn every_format_has_the_same_figures() {
    let _work = Work::done();
    let _ = mm_tests::family("formats:rows", 2, 2);
    let (snapshot, profile) = (mm::snapshot(), mm::profile());
    leave(&snapshot, &profile);

    let path = Page::page_family().path();
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (figures, sites) = (parse(&snapshot.to_json()), parse(&profile.to_json()));
    assert_eq!(family_in(&figures, path)["live_bytes"], 600 * 40);
    assert_eq!(family_in(&sites, path)["live_blocks"], 600);
    assert_eq!(family_in(&sites, path)["name"], Page::page_family().name());

    let text = snapshot.openmetrics().to_string();
    let sample = r#"mm_family_live_bytes{family="Cached \"page\"\\\\\\n\\u{1b}Größe""#;
    let line = text.lines().find(|line| line.starts_with(sample));
    assert!(line.expect("a sample").ends_with("} 24000"));
}
