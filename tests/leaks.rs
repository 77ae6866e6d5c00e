//! Reports of blocks that are still live, at exit and at the end of a test.

use std::cell::RefCell;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ExitStatus, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use mm::{Kept, MmBox, MmManaged, Track};
use mm_tests::{again, again_with, figures, in_a_child, is_child, join_all};

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
        said(&leaky).contains("12 B in 1 block not recorded, since the family is not tracked"),
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
fn a_thread_with_a_small_stack_may_end_the_program() {
    /// Enough to allocate and for the report, without optimisation, and not to look symbols up.
    const SMALL: usize = 48 << 10;
    let name = "a_thread_with_a_small_stack_may_end_the_program";
    let Some(output) = again_with(name, "track,backtrace=8,leaks=3") else {
        let small = thread::Builder::new().stack_size(SMALL);
        let ended = small.spawn(|| {
            forget(Emp::boxed(b"ada lovelace"));
            std::process::exit(0)
        });
        ended.expect("a thread").join().expect("it does not return");
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("Emp (leaks::Emp): 12 B in 1 block"), "{text}");
    assert!(text.contains("in leaks::"), "{text}");
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
        leaks.to_string().contains("and its value begins with \""),
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
        let tests = (0..12).map(|number| {
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
        });
        for (number, is_clean) in join_all(tests).into_iter().enumerate() {
            assert_eq!(is_clean, number % 3 != 1, "test {number}");
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
    // Through the cache, while nothing is recorded: the same unit.
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

/// Forks, and has the child end as `exit` does.
fn ended_child(look: impl FnOnce()) -> ExitStatus {
    in_a_child(|| {
        look();
        // SAFETY: the child's one thread calls it once.
        unsafe { libc::exit(0) }
    })
}

/// What a child has of its parent is no leak of the child's.
#[test]
fn a_forked_child_reports_what_it_allocated_itself() {
    let name = "a_forked_child_reports_what_it_allocated_itself";
    for options in ["track,leaks=3", "leaks=3"] {
        let Some(output) = again_with(name, options) else {
            let mut emps: Vec<_> = (0..5).map(|_| Emp::boxed(b"of my parent")).collect();
            let _ = Kept::leak(Kept::new(Emp::boxed(b"kept for all")));
            let nothing = ended_child(|| drop(emps.pop()));
            assert_eq!(nothing.code(), Some(0), "of nothing it is to blame");
            let leaky = ended_child(|| {
                for _ in 0..3 {
                    forget(Emp::boxed(b"of the child"));
                }
                let grandchild = ended_child(|| ());
                assert_eq!(grandchild.code(), Some(0));
            });
            assert_eq!(leaky.code(), Some(3), "it leaks itself");
            forget(emps);
            return;
        };
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{options}: {text}");
        let reports = text.lines().filter(|line| line.contains("at exit"));
        let reports: Vec<_> = reports.collect();
        let expected = [
            "mm: at exit, 1 page family holds 3 blocks, 36 B",
            "mm: at exit, 1 page family holds 5 blocks, 60 B",
        ];
        assert_eq!(reports, expected, "{options}: {text}");
    }
}

/// A child whose fork mm did not see has locks that no thread lets go.
#[cfg(target_os = "linux")]
#[test]
fn a_child_that_was_forked_behind_the_back_reports_nothing() {
    let name = "a_child_that_was_forked_behind_the_back_reports_nothing";
    let Some(output) = again_with(name, "leaks=3") else {
        forget(Emp::boxed(b"of my parent"));
        // SAFETY: as `fork`, without handlers: the child does nothing but end.
        let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        let child = libc::pid_t::try_from(child).expect("a process");
        if child == 0 {
            // SAFETY: no handler is asked for: a child that hangs is ended.
            unsafe { libc::alarm(20) };
            // SAFETY: the child's one thread calls it once.
            unsafe { libc::exit(0) };
        }
        let mut status = -1;
        // SAFETY: the child is ours and `status` is an int.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0, "the child's");
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(text.matches("at exit").count(), 1, "{text}");
}

/// Elsewhere nothing tells with what code the process is about to end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_code_that_says_what_failed_stays() {
    let name = "a_code_that_says_what_failed_stays";
    for (how, code) in [("panic", 101), ("exit", 7), ("wrapped", 3)] {
        let child = again(name, |child| {
            child.env("MM_OPTIONS", "leaks=3").env("HOW", how);
        });
        let Some(output) = child else {
            forget(Emp::boxed(b"ada lovelace"));
            match std::env::var("HOW").as_deref() {
                Ok("panic") => panic!("for another reason"),
                Ok("exit") => std::process::exit(7),
                // Of which the parent process sees no more than eight bits.
                _ => std::process::exit(0x100),
            }
        };
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{how}: {text}");
        assert!(
            text.contains("at exit, 1 page family holds"),
            "{how}: {text}"
        );
    }
}

/// What else is to be done at exit is done, also with a code of mm's, and nothing waits for a thread
/// that reads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_code_for_leaks_takes_nothing_away() {
    unsafe extern "C" {
        fn flockfile(file: *mut libc::FILE);
    }
    extern "C" fn at_exit() {
        // SAFETY: the text is there.
        unsafe { libc::write(2, c"the other handler".as_ptr().cast(), 17) };
    }
    let name = "a_code_for_leaks_takes_nothing_away";
    let Some(output) = again(name, |_| ()) else {
        // SAFETY: the function neither unwinds nor returns a value.
        assert_eq!(unsafe { libc::atexit(at_exit) }, 0);
        mm::report_leaks_at_exit().exit_code(5);
        forget(Emp::boxed(b"ada lovelace"));
        let (locked, wait) = mpsc::channel();
        thread::spawn(move || {
            // SAFETY: both texts end with a zero byte.
            let file = unsafe { libc::fopen(c"/dev/null".as_ptr(), c"r".as_ptr()) };
            // SAFETY: the file is open. As a thread that waits for a line has it.
            unsafe { flockfile(file) };
            locked.send(()).expect("the test waits");
            loop {
                thread::park();
            }
        });
        wait.recv().expect("locked");
        return;
    };
    let text = said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("at exit, 1 page family holds"), "{text}");
    assert_eq!(text.matches("the other handler").count(), 1, "{text}");
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
