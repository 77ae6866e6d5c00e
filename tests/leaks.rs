//! What is still live: at exit, and at the end of a test.

use std::cell::RefCell;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use mm::{Kept, MmBox, MmManaged, Track};
use mm_tests::{again, again_with, figures, in_a_child, is_child};

#[derive(MmManaged)]
struct Emp(#[allow(dead_code, reason = "it is looked at as bytes")] [u8; 12]);

impl Emp {
    #[track_caller]
    fn boxed(name: &[u8; 12]) -> MmBox<Self> {
        MmBox::new(Self(*name))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Where the next test leaks.
const LINE: u32 = line!() + 8;

#[test]
fn the_report_at_exit_names_family_and_call_site() {
    let name = "the_report_at_exit_names_family_and_call_site";
    let Some(output) = again_with(name, "track,leaks=3") else {
        let names = [b"ada lovelace", b"grace hopper"];
        for name in names {
            forget(Emp::boxed(name));
        }
        let _ = Kept::leak(Kept::new(Emp::boxed(b"jean bartik ")));
        drop(Emp::boxed(b"not a leak  "));
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("mm: at exit, 1 page family holds 2 blocks, 24 B"),
        "{text}"
    );
    assert!(
        text.contains("Emp (leaks::Emp): 24 B in 2 blocks"),
        "{text}"
    );
    assert!(
        text.contains(&format!("leaks.rs:{LINE}:20 by thread the_report_at_exit")),
        "{text}"
    );
    assert!(text.contains("kept on purpose: 12 B in 1 block"), "{text}");
}

#[test]
fn the_exit_code_stays_without_a_leak_and_without_a_wish() {
    let name = "the_exit_code_stays_without_a_leak_and_without_a_wish";
    let clean = again(name, |child| {
        child.env("MM_OPTIONS", "leaks=3").env_remove("LEAK");
    });
    let Some(clean) = clean else {
        if std::env::var_os("LEAK").is_some() {
            forget(Emp::boxed(b"ada lovelace"));
        }
        return;
    };
    assert!(
        clean.status.success() && !said(&clean).contains("at exit"),
        "{clean:?}"
    );
    let leaky = again(name, |child| {
        child.env("MM_OPTIONS", "leaks").env("LEAK", "1");
    });
    let leaky = leaky.expect("this is the parent");
    assert!(leaky.status.success(), "{leaky:?}");
    assert!(
        said(&leaky).contains("12 B in 1 block allocated before tracking"),
        "{leaky:?}"
    );
}

#[test]
fn main_may_ask_for_the_report() {
    let Some(output) = again("main_may_ask_for_the_report", |_| ()) else {
        mm::report_leaks_at_exit().exit_code(7);
        // Once is enough, and the last code holds.
        mm::report_leaks_at_exit().exit_code(9);
        forget(Emp::boxed(b"ada lovelace"));
        return;
    };
    assert_eq!(output.status.code(), Some(9), "{}", said(&output));
    assert_eq!(said(&output).matches("at exit").count(), 1);
}

#[test]
fn wrong_numbers_are_refused() {
    for options in ["leaks=256", "leaks=no", "track=-1", "track="] {
        let Some(output) = again_with("wrong_numbers_are_refused", options) else {
            drop(mm::snapshot());
            return;
        };
        assert_eq!(
            output.status.code(),
            Some(2),
            "{options}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains("is no number that fits"),
            "{options}"
        );
    }
}

#[test]
fn values_can_be_looked_at() {
    let family = Emp::page_family();
    family.track(Track::All);
    let (older, younger) = (Emp::boxed(b"ada lovelace"), Emp::boxed(b"grace hopper"));
    // SAFETY: the bytes are looked at as bytes.
    let leaks = unsafe { mm::leaks_with_values(8) };
    let family = leaks.family("Emp").expect("two are live");
    let values: Vec<_> = family
        .sites
        .iter()
        .filter_map(|site| site.value.as_deref())
        .collect();
    // Both came from one call site, of which the oldest is shown.
    assert!(
        values.contains(&&b"ada love"[..]) || values.contains(&&b"grace ho"[..]),
        "{leaks}"
    );
    assert!(
        leaks.to_string().contains("of which the value begins \""),
        "{leaks}"
    );
    // Not what lies behind it.
    // SAFETY: as above.
    let leaks = unsafe { mm::leaks_with_values(usize::MAX) };
    let sites = &leaks.family("Emp").expect("two are live").sites;
    let lengths = sites.iter().filter_map(|site| site.value.as_ref());
    assert!(lengths.map(|value| value.len()).all(|length| length == 12));
    drop((older, younger));
}

#[derive(MmManaged)]
struct Parallel(#[allow(dead_code, reason = "it takes room")] usize);

#[test]
fn scopes_count_what_is_theirs_while_others_allocate() {
    // Tests that run side by side, each in a scope; every other leaks, others have no scope at all.
    thread::scope(|threads| {
        let tests: Vec<_> = (0..12)
            .map(|number| {
                threads.spawn(move || {
                    let body = || {
                        let held: Vec<_> = (0..200).map(|n| MmBox::new(Parallel(n))).collect();
                        thread::yield_now();
                        drop(held);
                        if number % 3 == 1 {
                            forget(MmBox::new(Parallel(number)));
                        }
                    };
                    if number % 3 == 2 {
                        body();
                        return true;
                    }
                    let scoped = catch_unwind(|| mm::no_leaks(|_| body()));
                    scoped.is_ok()
                })
            })
            .collect();
        for (number, test) in tests.into_iter().enumerate() {
            assert_eq!(
                test.join().expect("no panic"),
                number % 3 != 1,
                "test {number}"
            );
        }
    });
}

#[test]
fn threads_of_a_scope_count() {
    let leaky = catch_unwind(|| {
        mm::no_leaks(|scope| {
            let thread = scope.spawn(|| {
                forget(Emp::boxed(b"from a third"));
            });
            thread.join().expect("no panic");
        });
    });
    let said = leaky.expect_err("it leaks");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(
        said.contains("something leaked: 1 page family holds 1 block"),
        "{said}"
    );
    assert!(said.contains("leaks.rs:"), "{said}");

    // Other threads do not, and neither does what was there before.
    let before = Emp::boxed(b"from earlier");
    mm::no_leaks(|scope| {
        drop(before);
        let other = thread::spawn(|| forget(Emp::boxed(b"no concern  ")));
        other.join().expect("no panic");
        let emp = scope.run(|| Emp::boxed(b"released    "));
        scope.spawn(move || drop(emp)).join().expect("no panic");
    });
}

#[test]
fn scopes_end_however_they_end() {
    #[derive(MmManaged)]
    struct Value(#[allow(dead_code, reason = "it takes room")] u64);
    let panicked = catch_unwind(|| mm::no_leaks(|_| panic!("of its own")));
    let said = panicked.expect_err("it panics");
    assert_eq!(said.downcast_ref::<&str>(), Some(&"of its own"));
    // No longer in a scope.
    mm::no_leaks(|_| drop(MmBox::new(Value(1))));
    let value = MmBox::new(Value(2));
    mm::no_leaks(|outer| {
        let kept = MmBox::new(Value(3));
        mm::no_leaks(|_| drop(MmBox::new(Value(4))));
        assert_eq!(
            outer
                .leaks()
                .family("Value")
                .map(|family| family.live_units),
            Some(1)
        );
        drop(kept);
    });
    drop(value);
}

#[test]
fn a_forked_child_goes_on_recording() {
    #[derive(MmManaged)]
    struct Forked(#[allow(dead_code, reason = "it takes room")] u64);
    let family = Forked::page_family();
    family.track(Track::All);
    let one = MmBox::new(Forked(1));
    let child = in_a_child(|| {
        let two = MmBox::new(Forked(2));
        let profile = family.profile();
        let both = profile.live_blocks == 2 && profile.unrecorded_blocks == 0;
        drop(two);
        i32::from(!both || family.profile().live_blocks != 1)
    });
    assert!(child.success(), "{child}");
    drop(one);
}

#[test]
fn what_a_scope_recorded_is_forgotten_with_the_rest() {
    #[derive(MmManaged)]
    struct Escaped(#[allow(dead_code, reason = "it takes room")] u64);
    let name = "what_a_scope_recorded_is_forgotten_with_the_rest";
    // In a process of its own: other scopes keep tracking on.
    if !is_child(name, |_| ()) {
        return;
    }
    let family = Escaped::page_family();
    family.track(Track::All);
    let mut escaped = None;
    let scoped = catch_unwind(AssertUnwindSafe(|| {
        mm::no_leaks(|_| escaped = Some(MmBox::new(Escaped(1))));
    }));
    assert!(scoped.is_err());
    family.track(Track::Off);
    assert!(family.profile().sites.is_empty());
    // Through the cache, with nobody looking: the same unit.
    drop(escaped);
    let other = MmBox::new(Escaped(2));
    let profile = family.profile();
    assert_eq!((profile.unrecorded_blocks, profile.sites.len()), (1, 0));
    drop(other);
}

#[derive(MmManaged)]
struct Stale(#[allow(dead_code, reason = "it takes room")] [u64; 4]);

/// An outer scope counts what an inner one gave up on.
#[test]
fn an_outer_scope_sees_leaks_of_an_inner_one_that_panicked() {
    let outer = catch_unwind(|| {
        mm::no_leaks(|_| {
            let inner = catch_unwind(|| {
                mm::no_leaks(|_| {
                    forget(MmBox::new(Stale([3; 4])));
                    panic!("for another reason");
                });
            });
            assert!(inner.is_err());
        });
    });
    assert!(
        outer.is_err(),
        "the body allocated a block that is still live"
    );
}

/// Says what scopes cost that come one after the other while all is tracked.
#[test]
fn scopes_one_after_the_other_cost_the_same() {
    if !is_child("scopes_one_after_the_other_cost_the_same", |_| ()) {
        return;
    }
    mm::track(Track::All);
    let mut times = Vec::new();
    for _ in 0..6 {
        let start = Instant::now();
        for _ in 0..2_000 {
            mm::no_leaks(|_| drop(MmBox::new(Stale([1; 4]))));
        }
        times.push(start.elapsed());
    }
    println!("{times:?}");
    assert!(times[5] < times[0] * 3, "{times:?}");
    let sites = Stale::page_family().profile().sites.len();
    assert!(sites < 10, "{sites}");
}

thread_local! {
    static HELD: RefCell<Option<MmBox<Stale>>> = const { RefCell::new(None) };
}

/// `std::thread::scope` does not wait for thread-locals.
#[test]
fn a_scoped_thread_with_a_thread_local_is_not_accused() {
    let accused = (0..200).filter(|_| {
        catch_unwind(|| {
            mm::no_leaks(|scope| {
                thread::scope(|threads| {
                    threads.spawn(|| scope.run(|| HELD.set(Some(MmBox::new(Stale([1; 4]))))));
                });
            });
        })
        .is_err()
    });
    assert_eq!(accused.count(), 0, "of 200");
}

/// A child does not have the threads whose scopes it counts.
#[test]
fn a_forked_child_ends_the_scopes_of_vanished_threads() {
    if !is_child("a_forked_child_ends_the_scopes_of_vanished_threads", |_| ()) {
        return;
    }
    let (inside, wait) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        mm::no_leaks(|_| {
            inside.send(()).expect("the test waits");
            let _ = ended.recv();
        });
    });
    wait.recv().expect("it is inside");
    let child = in_a_child(|| {
        drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
        drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
        // Of a thread that has a cache again, some are cached. A snapshot would flush it.
        let is_cached = thread::spawn(|| {
            drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
            let look = thread::spawn(|| figures(Stale::page_family()).cached_units);
            look.join().is_ok_and(|units| units > 0)
        });
        i32::from(!is_cached.join().is_ok_and(|is| is))
    });
    drop(end);
    thread.join().expect("no leak");
    assert!(child.success(), "every call takes the lock for ever");
}

/// How many scopes there can be at once.
const NUMBERS: usize = 32_767;

#[test]
fn a_clean_body_is_not_accused_of_what_another_scope_holds() {
    if !is_child(
        "a_clean_body_is_not_accused_of_what_another_scope_holds",
        |_| (),
    ) {
        return;
    }
    mm::no_leaks(|_| {
        let held = Emp::boxed(b"held        ");
        thread::scope(|threads| {
            // Each has the number of one before by the end, and one of them would be the outer one's.
            threads.spawn(|| (0..=NUMBERS).for_each(|_| mm::no_leaks(|_| ())));
        });
        drop(held);
    });
}

#[test]
fn a_thread_that_outlives_its_scope_is_in_no_other() {
    if !is_child("a_thread_that_outlives_its_scope_is_in_no_other", |_| ()) {
        return;
    }
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel();
    let lasting = mm::no_leaks(move |scope| {
        scope.spawn(move || {
            let mut held = Vec::new();
            while asked.recv().is_ok() {
                held.push(Emp::boxed(b"of nobody   "));
                answer.send(held.len()).expect("the test listens");
            }
        })
    });
    for number in 0..=NUMBERS {
        mm::no_leaks(|_| {
            // As the last of them has the number again that the first had.
            if number % 1_000 == 0 || number + 10 > NUMBERS {
                ask.send(()).expect("the thread listens");
                answered.recv().expect("the thread answers");
            }
        });
    }
    drop(ask);
    lasting.join().expect("no panic");
}
