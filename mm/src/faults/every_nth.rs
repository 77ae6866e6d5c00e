//! Refuses the nth call into the kernel, once or from then on, for each kind of call, each n and each work,
//! on a new thread. Runs in hardened mode too, in a separate process.

use core::alloc::Layout;
use core::sync::atomic::Ordering::Relaxed;
use std::process::Command;
use std::thread;

use super::work::{WORKS, Work};
use crate::family::PageFamily;
use crate::heap::{RECORDS, SPARSE, forget_retained_tables};
use crate::os::faulty::{Call, Fault, INJECTED, refuse_from_now_on, refusing, refusing_above};

const CALLS: [Option<Call>; 4] = [
    None,
    Some(Call::Reserve),
    Some(Call::Commit),
    Some(Call::Advise),
];

/// The most calls of one work. The test fails if there are more.
const MOST_CALLS: usize = 600;

/// The environment variable of the child process, which has options in `MM_OPTIONS`.
const CHILD: &str = "MM_TEST_EVERY_NTH";

/// Refuses all calls from now on.
const ALL_CALLS: Fault = Fault {
    call: None,
    nth: 0,
    lasting: true,
};

/// Uses up the available records, so that the next one needs the kernel.
fn drain_records() {
    refusing_above(0, || {
        for room in [1 << 12, 1] {
            while RECORDS.zeroed::<u64>(room).is_ok() {}
            while SPARSE.zeroed::<u64>(room).is_ok() {}
        }
    });
    forget_retained_tables();
}

/// Does `work` under a fault, on a thread whose end gets no memory either. Returns whether a call was
/// refused.
fn one_case(work: Work, family: &'static PageFamily, fault: Fault) -> bool {
    drain_records();
    let worked = thread::spawn(move || {
        let (refused, reached) = refusing(fault, || (work.run)(family));
        assert!(reached || refused == 0, "refused without a fault");
        refuse_from_now_on(Some(ALL_CALLS));
        reached
    });
    let reached = worked.join().expect("no panic");
    family.check().expect("consistent after the thread");
    let now = family.figures();
    assert_eq!((now.live_blocks, now.live_units), (0, 0));
    // The kernel refuses nothing any more, so everything succeeds.
    assert_eq!((work.run)(family), 0);
    reached
}

/// Refuses the nth call of one kind in one work, for each n. If the work makes hundreds of calls and writes
/// to each of its megabytes, takes each 23rd n. Returns the number of calls.
fn every_nth(work: Work, call: Option<Call>, lasting: bool) -> usize {
    let is_portable = cfg!(mm_portable) || !cfg!(target_os = "linux");
    let is_filled = std::env::var_os(CHILD).is_some() || is_portable;
    let is_slow = is_filled && work.name == "huge";
    for nth in (0..MOST_CALLS).step_by(if is_slow { 23 } else { 1 }) {
        let name = format!("nth-{}-{call:?}-{lasting}-{nth}", work.name);
        let layout = Layout::from_size_align(work.unit, 4).expect("a layout");
        let family = PageFamily::register(&name, layout).expect("a new name");
        if !one_case(work, family, Fault { call, nth, lasting }) {
            return nth;
        }
    }
    panic!("{} makes more than {MOST_CALLS} calls", work.name);
}

fn every_case() {
    let mut of_kind = [0; CALLS.len()];
    for work in WORKS {
        for (call, count) in CALLS.into_iter().zip(&mut of_kind) {
            for lasting in [false, true] {
                *count += every_nth(work, call, lasting);
            }
        }
    }
    assert!(of_kind.iter().all(|count| *count > 20), "{of_kind:?}");
    println!(
        "bad inputs: 0, faults injected: {}, lost: 0",
        INJECTED.load(Relaxed)
    );
}

#[test]
fn every_nth_call_of_every_kind_is_refused() {
    every_case();
}

#[test]
fn every_nth_call_is_refused_in_hardened_mode() {
    if std::env::var_os(CHILD).is_some() {
        return every_case();
    }
    let me = std::env::current_exe().expect("a path");
    let name = "faults::every_nth::every_nth_call_is_refused_in_hardened_mode";
    for options in ["random,poison,guard,quarantine=4KiB", "zero"] {
        let mut child = Command::new(&me);
        child.args(["--exact", name, "--nocapture"]);
        child.env(CHILD, "1").env("MM_OPTIONS", options);
        let output = child.output().expect("a child");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        let line = text.lines().find(|line| line.contains("faults injected"));
        println!("{options}: {}", line.expect("the child got to its end"));
    }
}
