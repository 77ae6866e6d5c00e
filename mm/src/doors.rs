//! Tests that every output escapes untrusted text: a hostile name is sent through each of them.

use core::alloc::Layout;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use crate::entry::{leaks, profile, snapshot};
use crate::error::{AllocError, CheckError, FreeError, Holder, RegisterError};
use crate::family::PageFamily;
use crate::growth::Growth;
use crate::holders::Holders;
use crate::limit::Limit;
use crate::options::Options;
use crate::profile::{CallSite, Frame};
use crate::scope::no_leaks;
use crate::shown::{Shown, is_hidden};
use crate::snapshot::Location;
use crate::track::Track;

/// Ends a line, writes one that looks like ours, and clears the screen.
const HOSTILE: &str = "a\nmm: forged \u{1b}[31m\u{202e}\u{9b}2J\r";

/// Panics if `text` acts on a terminal, has a line that is not ours, or does not show `HOSTILE`.
#[track_caller]
fn check(door: &str, text: &str) {
    check_calm(door, text);
    let shown = Shown(HOSTILE).to_string();
    assert!(
        text.contains(&shown),
        "{door} does not show it whole: {text:?}"
    );
}

#[track_caller]
fn check_calm(door: &str, text: &str) {
    let acts = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
    assert!(!text.contains(acts), "{door}: {text:?}");
    let forged = |line: &str| line.trim_start().starts_with("mm: forged");
    assert!(!text.lines().any(forged), "{door}: {text:?}");
}

/// One block of a family of that name, allocated by a thread of that name.
struct Held {
    family: &'static PageFamily,
    units: usize,
}

impl Held {
    /// `door` makes the name differ from those of other tests.
    fn new(door: &str, units: usize) -> Self {
        let name = format!("{HOSTILE}{door}");
        let family = PageFamily::register(&name, Layout::new::<u64>()).expect("a new name");
        family.track(Track::All);
        let named = thread::Builder::new().name(HOSTILE.to_owned());
        let thread = named.spawn(move || {
            family.alloc(units).expect("memory");
        });
        thread.expect("a thread").join().expect("no panic");
        Self { family, units }
    }

    fn site(&self) -> CallSite {
        let mut site = self.family.profile().sites[0].clone();
        site.location = Location::new(HOSTILE, 7, 5, HOSTILE);
        site
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut first = None;
        // SAFETY: the thread that allocated in `family` has ended, no other one knows it, and `for_each_live`
        // lends the units to a closure that neither looks at them nor releases them.
        unsafe {
            self.family
                .for_each_live(|unit| first = first.or(Some(unit)));
        }
        if let Some(first) = first.filter(|_| self.units > 0) {
            // SAFETY: `for_each_live` found the block, and no code has its address any more.
            unsafe { self.family.release(first) }.expect("live");
        }
    }
}

#[test]
fn reports() {
    let held = Held::new("reports", 3);
    let (name, before) = (held.family.name(), snapshot());
    let more = held.family.alloc(1).expect("memory");
    let now = snapshot();
    check("page_families", &now.page_families().to_string());
    check("memory_usage", &now.memory_usage(None).to_string());
    check("memory_usage of one", &now.memory_usage(name).to_string());
    check("block_usage", &now.block_usage().to_string());
    check("diff", &now.diff(&before).to_string());
    check(
        "similar names",
        &now.memory_usage(&name[..name.len() - 1]).to_string(),
    );
    check("a key", &held.family.key().to_string());
    check("a location", &Location::new(HOSTILE, 1, 1, "").to_string());
    check(
        "OpenMetrics",
        &now.openmetrics().to_string().replace("\\\\", "\\"),
    );
    check("leaks", &leaks().to_string());
    check("profile", &profile().to_string());
    check("a family's profile", &held.family.profile().to_string());
    check("a call site", &held.site().to_string());
    // SAFETY: `alloc` gave the block, which the test does not use.
    unsafe { held.family.release(more) }.expect("live");
}

#[test]
fn threads_and_functions() {
    let held = Held::new("threads", 1);
    let profile = held.family.profile();
    let by_thread = format!("by thread {}", Shown(HOSTILE));
    assert!(profile.to_string().contains(&by_thread), "{profile}");
    let frame = |file: Option<&str>, line| Frame {
        address: 7,
        function: Some(HOSTILE.to_owned()),
        file: file.map(str::to_owned),
        line,
    };
    check("a function", &frame(None, None).to_string());
    check("a file", &frame(Some(HOSTILE), None).to_string());
    check("a line", &frame(Some(HOSTILE), Some(7)).to_string());
}

#[test]
fn the_watcher() {
    let held = Held::new("watcher", 1);
    let mut profile = held.family.profile();
    profile.sites = vec![held.site()];
    let growth = Growth {
        name: profile.name,
        path: profile.path,
        key: profile.key,
        growing_for: Duration::from_secs(48),
        units_per_second: 1.0,
        bytes_per_second: 8.0,
        live_units: 1,
        profile,
    };
    check("growth", &growth.to_string());
    assert_eq!(growth.to_string().lines().count(), 1);
}

#[test]
fn errors() {
    let held = Held::new("errors", 1 << 22);
    let name = held.family.name();
    let holder = Holder {
        family: name,
        live_bytes: 1,
    };
    check("a holder", &holder.to_string());
    check("the line before the end", &Holders::now().to_string());
    held.family.set_limit(Limit::units(1));
    let refused = |units| held.family.alloc(units).expect_err("too many");
    check("overflow", &refused(usize::MAX).to_string());
    check("a limit", &refused(1).to_string());
    let no_memory = AllocError::OutOfMemory {
        family: name,
        units: 1,
        unit_size: 8,
    };
    check("no memory", &no_memory.to_string());
    let (family, address) = (name, 8);
    let released = [
        FreeError::Interior { family, address },
        FreeError::NotLive { family, address },
        FreeError::WrongFamily {
            asked: name,
            family,
            address,
        },
    ];
    for refused in released {
        check("a release", &refused.to_string());
    }
    let twice = PageFamily::register(name, Layout::new::<u64>()).expect_err("it is there");
    assert!(matches!(twice, RegisterError::DuplicateName { .. }));
    check("a duplicate", &twice.to_string());
    let differs = CheckError {
        family: name,
        figure: "live units",
        kept: 1,
        found: 2,
    };
    check("a check", &differs.to_string());
    for option in ["", "quarantine=", "track="] {
        let wrong = format!("{option}{HOSTILE}x").parse::<Options>();
        check("an option", &wrong.expect_err("no option").to_string());
    }
    held.family.set_limit(None);
}

#[test]
fn debug() {
    let held = Held::new("debug", 1);
    check("a family", &format!("{:?}", held.family));
    check("a key", &format!("{:?}", held.family.key()));
    check("a snapshot", &format!("{:#?}", snapshot()));
    check("a profile", &format!("{:?}", held.family.profile()));
    check("a location", &format!("{:?}", held.site().location));
    let refused = held.family.alloc(usize::MAX);
    check("an error", &format!("{:?}", refused.expect_err("too many")));
}

#[test]
fn panics() {
    #[derive(mm::MmManaged)]
    #[mm(name = "a\nmm: forged \u{1b}[31m\u{202e}\u{9b}2J\r", max_units = 1)]
    struct Hostile(#[allow(dead_code, reason = "for its size")] u64);

    let said = |f: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("a panic");
        panic.downcast_ref::<String>().expect("a message").clone()
    };
    let xcalloc = || drop(<Hostile as mm::MmManaged>::xcalloc(2));
    check("xcalloc", &said(&xcalloc));
    let leak = || {
        no_leaks(|_| {
            let _ = mm::MmBox::leak(mm::MmBox::new(Hostile(1)));
        });
    };
    check("no_leaks", &said(&leak));
}

#[cfg(feature = "json")]
#[test]
fn json() {
    let held = Held::new("json", 1);
    let text = snapshot().to_json();
    check_calm("JSON", &text);
    assert!(!text.contains('\n'), "all on one line");
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let families = read["families"].as_array().expect("a list");
    let whole = families
        .iter()
        .find(|one| one["name"] == held.family.name());
    let key = held.family.key().to_string();
    assert_eq!(whole.expect("the whole name")["key"], key.as_str());
    check_calm("JSON", &profile().to_json());
}

#[cfg(feature = "tracing")]
mod events {
    use core::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};

    use super::*;
    use crate::subscriber::on_event;

    /// Keeps each field as a careless subscriber would write it.
    #[derive(Clone, Default)]
    struct Careless(Arc<Mutex<Vec<String>>>);

    impl Visit for Careless {
        fn record_str(&mut self, _: &Field, value: &str) {
            self.0.lock().expect("no panic").push(value.to_owned());
        }

        fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
            self.0.lock().expect("no panic").push(format!("{value:?}"));
        }
    }

    #[test]
    fn events() {
        const CHILD: &str = "MM_TEST_EVENTS";
        if std::env::var_os(CHILD).is_none() {
            // In a process of its own, which has one subscriber.
            let me = std::env::current_exe().expect("a path");
            let mut child = std::process::Command::new(me);
            child
                .args(["--exact", "doors::events::events"])
                .env(CHILD, "1");
            let output = child.output().expect("a child");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.contains("1 passed"),
                "{text}"
            );
            return;
        }
        let held = Held::new("events", 1);
        let careless = Careless::default();
        let visitor = careless.clone();
        on_event(move |event| event.record(&mut visitor.clone()));
        held.family.set_limit(Limit::units(1));
        assert!(held.family.alloc(1).is_err());
        held.family.set_limit(None);
        held.family.set_soft_limit(Limit::units(1), |_| ());
        let more = held.family.alloc(1).expect("memory");
        // SAFETY: `alloc` gave the block, which the test does not use.
        unsafe { held.family.release(more) }.expect("live");
        let said = careless.0.lock().expect("no panic").clone();
        let named: Vec<_> = said.iter().filter(|said| said.contains("forged")).collect();
        assert_eq!(named.len(), 4, "{said:?}");
        named.into_iter().for_each(|said| check("an event", said));
    }
}

#[cfg(feature = "pprof")]
#[test]
fn pprof() {
    use std::io::Read;

    let held = Held::new("pprof", 1);
    let mut profile = profile();
    profile.families.retain(|one| one.key == held.family.key());
    profile.families[0].sites = vec![held.site()];
    let mut bytes = Vec::new();
    let packed = profile.to_pprof();
    let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
    unpacked.read_to_end(&mut bytes).expect("gzip");
    let text = String::from_utf8_lossy(&bytes);
    let shown = Shown(HOSTILE).to_string();
    // The family, the location, and one text that is both the file and the thread.
    assert_eq!(text.matches(&shown).count(), 3, "{text:?}");
    assert!(!text.contains(HOSTILE) && !text.contains("\nmm: forged"));
}
