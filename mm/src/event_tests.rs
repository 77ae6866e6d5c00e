//! The events that a subscriber gets, also if the subscriber itself allocates, panics or crosses a limit.

use core::alloc::Layout;
use core::fmt::Debug;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::cell::RefCell;
use std::env;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};

use crate::events;
use crate::family::PageFamily;
use crate::growth::samples::session;
use crate::limit::Limit;
use crate::profile::Profile;
use crate::subscriber::on_event;

/// Keeps each event's fields, as text.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Visit for Kept {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{field}={value:?}");
        self.0.lock().expect("no panic").push(text);
    }
}

#[test]
fn tells_the_subscriber() {
    let kept = Kept::default();
    let visitor = kept.clone();
    on_event(move |event| event.record(&mut visitor.clone()));
    let growth = session(Vec::new());
    events::growth(
        growth.name,
        growth.units_per_second,
        growth.live_units,
        &growth,
    );
    let said = || std::mem::take(&mut *kept.0.lock().expect("no panic"));
    let expected = [
        format!("message={growth}"),
        "family=\"Session\"".to_owned(),
        "units_per_second=1.004".to_owned(),
        "live_units=1204".to_owned(),
    ];
    assert_eq!(said(), expected);

    let layout = Layout::new::<u64>();
    let family = PageFamily::register("events:limited", layout).expect("a new name");
    family.set_limit(Limit::units(1));
    family.set_soft_limit(Limit::units(0), |_| ());
    let one = family.alloc(1).expect("allowed");
    let crossed = "message=page family `events:limited` crossed its soft limit";
    assert_eq!(
        said(),
        [crossed, "family=\"events:limited\"", "live_units=1"]
    );
    let refused = family.alloc(1).expect_err("above the limit");
    let message = format!("message={refused}");
    assert_eq!(said(), [&message, "family=\"events:limited\""]);

    events::leaks(0, &Profile::default());
    let expected = ["message=0 page families hold 0 blocks, 0 B", "families=0"];
    assert_eq!(said(), expected);
    // SAFETY: `alloc` gave the block, which the test does not use any more.
    unsafe { family.release(one) }.expect("it is live");
}

/// The exit status and the output of a test's child; `None` in the child.
fn again(name: &str, options: &str) -> Option<Output> {
    const CHILD: &str = "MM_TEST_CHILD";
    if env::var_os(CHILD).is_some() {
        // SAFETY: `alarm` has no requirements. No handler of the signal is set, so it ends a child that
        // hangs.
        unsafe { libc::alarm(60) };
        return None;
    }
    let mut child = Command::new(env::current_exe().expect("a path"));
    let name = format!("event_tests::{name}");
    child.args(["--exact", &name, "--nocapture", "--test-threads", "1"]);
    child.env(CHILD, "1").env("MM_OPTIONS", options);
    Some(child.output().expect("a child"))
}

fn words(name: &str) -> &'static PageFamily {
    PageFamily::register(name, Layout::new::<u64>()).expect("a new name")
}

/// The subscriber uses a thread-local that is destroyed at exit, as formatters do.
#[test]
fn leaks_are_reported_at_exit_whatever_a_subscriber_does() {
    thread_local! {
        static TEXT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }
    let name = "leaks_are_reported_at_exit_whatever_a_subscriber_does";
    let Some(output) = again(name, "leaks=3") else {
        on_event(|event| {
            eprintln!("raised");
            TEXT.with(|text| text.borrow_mut().push(format!("{event:?}")));
        });
        TEXT.with(|text| text.borrow_mut().push("a destructor".to_owned()));
        words("events:leaked").alloc(1).expect("memory");
        std::process::exit(0);
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{}: {text}", output.status);
    let said = text.find("mm: at exit, 1 page family holds 1 block, 8 B");
    let raised = text.find("raised");
    assert!(said.is_some() && said < raised, "{text}");
}

/// A subscriber whose own allocations are refused.
#[test]
fn a_refusal_inside_of_a_subscriber_is_no_event() {
    static EVENTS: AtomicU32 = AtomicU32::new(0);
    let name = "a_refusal_inside_of_a_subscriber_is_no_event";
    let Some(output) = again(name, "") else {
        let family = words("events:refused");
        family.set_limit(Limit::units(0));
        on_event(|_| {
            EVENTS.fetch_add(1, Relaxed);
            assert!(words_named("events:refused").alloc(1).is_err());
        });
        for _ in 0..2 {
            family.alloc(1).expect_err("above the limit");
        }
        assert_eq!(EVENTS.load(Relaxed), 2);
        // A closure that itself crosses a soft limit gets that report after it has returned.
        let crossed = words("events:nested");
        crossed.set_soft_limit(Limit::units(0), |family| {
            EVENTS.fetch_add(100, Relaxed);
            words_named("events:refused")
                .alloc(1)
                .expect_err("above the limit");
            assert!(family.alloc(1).is_ok());
        });
        crossed.alloc(1).expect("memory");
        assert_eq!(EVENTS.load(Relaxed), 103);
        return;
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
}

fn words_named(name: &str) -> &'static PageFamily {
    crate::registry::families()
        .find(|family| family.name() == name)
        .expect("registered")
}

/// A panic of a subscriber does not reach the code that allocates.
#[test]
fn a_subscriber_that_panics_changes_nothing() {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    let name = "a_subscriber_that_panics_changes_nothing";
    let Some(output) = again(name, "") else {
        on_event(|_| panic!("cannot listen"));
        let family = words("events:panics");
        family.set_limit(Limit::units(1));
        family.set_soft_limit(Limit::units(0), |_| {
            TOLD.fetch_add(1, Relaxed);
        });
        family.alloc(1).expect("allowed");
        assert_eq!(TOLD.load(Relaxed), 1);
        let refused = family.alloc(1).expect_err("above the limit");
        assert!(matches!(refused, crate::AllocError::QuotaExceeded { .. }));
        assert_eq!(family.live_units(), 1);
        return;
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert_eq!(text.matches("cannot listen").count(), 2, "{text}");
}
