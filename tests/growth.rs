//! The watcher with its real thread and the real clock.

use std::process::exit;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mm::{Growth, PageFamily, Track, Watch};
use mm_tests::{again, in_a_child, is_child, ones, release_all};

/// How long to wait for a condition that has to become true. Most take a second.
const PATIENCE: Duration = Duration::from_secs(90);

/// Time between samples. A verdict takes half a second.
const INTERVAL: Duration = Duration::from_millis(10);

fn family(name: &str) -> &'static PageFamily {
    mm_tests::family(name, 48, 8)
}

/// Allocates a unit, which is never released.
fn leak(family: &'static PageFamily) {
    family.alloc(1).expect("memory");
}

/// Leaks a unit every other millisecond until `is_enough` returns true. Returns whether it did in time.
fn leak_until(family: &'static PageFamily, mut is_enough: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        leak(family);
        if is_enough() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Fills and empties families until the sender of `end` is dropped.
fn fill_and_flush(families: &[&'static PageFamily], end: &Receiver<()>) {
    while let Err(mpsc::TryRecvError::Empty) = end.try_recv() {
        for (nth, family) in families.iter().enumerate() {
            release_all(ones(family, 1 + nth % 100));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn one_of_a_thousand_is_named() {
    // In a process of its own, because the other tests leak too.
    if !is_child("one_of_a_thousand_is_named", |_| {}) {
        return;
    }
    let families: Vec<_> = (0..999)
        .map(|nth| family(&format!("growth:{nth}")))
        .collect();
    let leaking = family("growth:leak");
    // Most families keep a few units, and some also fill and empty all the time.
    for (nth, family) in families.iter().enumerate() {
        (0..nth % 7).for_each(|_| leak(family));
    }
    let busy: Vec<_> = families.iter().copied().step_by(9).collect();
    let (sender, end) = mpsc::channel();
    let busy = thread::spawn(move || fill_and_flush(&busy, &end));

    let named = Arc::new(Mutex::new(Vec::new()));
    let reported = Arc::clone(&named);
    let watch = mm::watch()
        .every(INTERVAL)
        .on_growth(move |growth| reported.lock().expect("no panic").push(growth.clone()))
        .start()
        .expect("a thread");
    let is_named = || !named.lock().expect("no panic").is_empty();
    assert!(leak_until(leaking, is_named), "no family was named");
    let growing = watch.growing();
    drop(watch);
    drop(sender);
    busy.join().expect("no panic");

    let named = named.lock().expect("no panic");
    let [growth] = &named[..] else {
        panic!("{named:?}");
    };
    check(growth, leaking);
    let ours = growing.iter().find(|growth| growth.name == "growth:leak");
    assert!(ours.is_some_and(|ours| ours.live_units >= growth.live_units));
}

fn check(growth: &Growth, family: &'static PageFamily) {
    assert_eq!((growth.name, growth.path), (family.name(), family.path()));
    assert!(growth.live_units >= 32, "{growth:?}");
    assert_eq!(growth.live_units, growth.profile.live_units);
    // The leak is one unit every other millisecond at most.
    let rate = growth.units_per_second;
    assert!(rate > 1.0 && rate < 520.0, "{growth:?}");
    assert!((growth.bytes_per_second / rate - 48.0).abs() < 1e-6);
    assert!(growth.growing_for > Duration::from_millis(200));
    // The watcher tracked the family before it named it.
    let site = growth.profile.sites.first().expect("a call site");
    assert_eq!(site.location.file, file!());
    let text = growth.to_string();
    assert!(text.starts_with("`growth:leak` has grown"), "{text}");
    let place = format!("at {}:{} (", file!(), site.location.line);
    assert!(text.contains(&place), "{text}");
    assert_eq!(
        family.profile().every,
        0,
        "the tracking ends with the watch"
    );
}

/// Starts a watcher that writes nothing.
fn quietly(is_tracking: bool) -> Watch {
    let watch = mm::watch().every(INTERVAL).track_suspects(is_tracking);
    watch.on_growth(|_| {}).start().expect("a thread")
}

/// Leaks until the family is named. Panics if it is not named in time.
#[track_caller]
fn leak_until_named(family: &'static PageFamily, watch: &Watch) {
    let is_it = |growth: &Growth| growth.name == family.name();
    let is_named = leak_until(family, || watch.growing().iter().any(is_it));
    assert!(is_named, "{} was not named", family.name());
}

#[test]
fn no_family_is_tracked_if_that_is_not_wanted() {
    // In a process of its own, because the watchers of other tests track families.
    if !is_child("no_family_is_tracked_if_that_is_not_wanted", |_| {}) {
        return;
    }
    let (family, watch) = (family("growth:untracked"), quietly(false));
    leak_until_named(family, &watch);
    assert_eq!(family.profile().every, 0);
    assert_eq!(watch.growing()[0].profile.sites, []);
}

#[test]
fn what_the_user_tracks_is_left_alone() {
    if !is_child("what_the_user_tracks_is_left_alone", |_| {}) {
        return;
    }
    let [before, off, other] = ["before", "off", "other"].map(family);
    before.track(Track::Every(1_000));
    let watch = quietly(true);
    leak_until_named(before, &watch);
    for (family, choice) in [(off, Track::Off), (other, Track::Every(7))] {
        leak_until_named(family, &watch);
        assert_eq!(family.profile().every, 1);
        family.track(choice);
    }
    drop(watch);
    let every = [before, off, other].map(|family| family.profile().every);
    assert_eq!(every, [1_000, 0, 7]);
}

#[test]
fn a_family_that_stopped_is_not_growing() {
    let family = family("growth:stops");
    let watch = quietly(true);
    let is_growing = || {
        let growing = watch.growing();
        growing.iter().any(|growth| growth.name == family.name())
    };
    leak_until_named(family, &watch);
    let end = Instant::now() + PATIENCE;
    while is_growing() {
        assert!(Instant::now() < end, "the family still grows");
        thread::sleep(INTERVAL);
    }
}

#[test]
fn a_watch_ends_at_once() {
    // In a process of its own: if the drop does not return, the kernel ends the process.
    if !is_child("a_watch_ends_at_once", |_| {}) {
        return;
    }
    let watch = mm::watch()
        .every(Duration::from_secs(10_000))
        .start()
        .expect("a thread");
    drop(watch);
}

#[test]
fn a_callback_may_allocate_and_drop_the_watch() {
    let family = family("growth:drops");
    let (give, taken) = mpsc::channel();
    let (dropped, wait) = mpsc::channel();
    let watch = mm::watch()
        .every(INTERVAL)
        .on_growth(move |growth| {
            if growth.name == family.name() {
                leak(family);
                drop(taken.recv().expect("the watch"));
                dropped.send(()).expect("the test waits");
            }
        })
        .start()
        .expect("a thread");
    give.send(watch).expect("the watcher");
    assert!(leak_until(family, || wait.try_recv().is_ok()));
}

#[test]
fn a_forked_child_has_no_watcher() {
    let family = family("growth:forks");
    let watch = quietly(true);
    leak_until_named(family, &watch);
    let mut watch = Some(watch);
    let status = in_a_child(|| {
        let growing = watch.as_ref().map_or(1, |watch| watch.growing().len());
        drop(watch.take());
        i32::from(growing != 0)
    });
    assert!(status.success(), "{status}");
}

/// Leaks until `is_enough` returns true, and ends the process. Its exit code is 0 if that was in time.
fn leak_and_exit(name: &str, is_enough: impl FnMut() -> bool) -> ! {
    exit(i32::from(!leak_until(family(name), is_enough)));
}

#[test]
fn without_a_callback_standard_error_names_a_family_once() {
    let name = "without_a_callback_standard_error_names_a_family_once";
    let Some(output) = again(name, |_| {}) else {
        let watch = mm::watch().every(INTERVAL).start().expect("a thread");
        let mut after = 0;
        leak_and_exit("growth:line", || {
            after += u32::from(!watch.growing().is_empty());
            after > 200
        });
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("mm:"))
        .collect();
    let start = "mm: `growth:line` has grown steadily for ";
    assert!(lines.len() == 1 && lines[0].starts_with(start), "{text}");
}

#[test]
fn a_callback_that_panics_is_not_called_again_and_the_watcher_goes_on() {
    let name = "a_callback_that_panics_is_not_called_again_and_the_watcher_goes_on";
    let Some(output) = again(name, |_| {}) else {
        let watch = mm::watch()
            .every(INTERVAL)
            .on_growth(|growth| panic!("cannot take {}", growth.name))
            .start()
            .expect("a thread");
        for name in ["growth:first", "growth:second"] {
            leak_until_named(family(name), &watch);
        }
        // This waits until the thread has written its lines.
        drop(watch);
        exit(0);
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("cannot take").count(), 1, "{text}");
    assert!(
        text.contains("mm: the callback of the watcher panicked"),
        "{text}"
    );
    assert!(text.contains("mm: `growth:second` has grown"), "{text}");
}

/// A thread holds the lock of standard error while the watcher writes a line, and drops the watch.
#[test]
fn a_watch_ends_while_standard_error_is_locked() {
    let name = "a_watch_ends_while_standard_error_is_locked";
    let Some(output) = again(name, |_| {}) else {
        let watch = mm::watch().every(INTERVAL).start().expect("a thread");
        let _locked = std::io::stderr().lock();
        // The watcher writes its line at most two samples later.
        leak_until_named(family("growth:locked"), &watch);
        thread::sleep(INTERVAL * 20);
        drop(watch);
        exit(0);
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert!(text.contains("mm: `growth:locked` has grown"), "{text}");
}

/// The callback waits for a lock that the thread holds which drops the watch.
#[test]
fn a_callback_may_wait_for_the_thread_that_drops_the_watch() {
    if !is_child(
        "a_callback_may_wait_for_the_thread_that_drops_the_watch",
        |_| {},
    ) {
        return;
    }
    let family = family("growth:waits");
    let (enter, entered) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let lock = Arc::new(Mutex::new(()));
    let callback_lock = Arc::clone(&lock);
    let watch = mm::watch()
        .every(INTERVAL)
        .on_growth(move |_| {
            enter.send(()).expect("the test waits");
            drop(callback_lock.lock());
            end.send(()).expect("the test waits");
        })
        .start()
        .expect("a thread");
    let locked = lock.lock();
    assert!(leak_until(family, || entered.try_recv().is_ok()));
    let start = Instant::now();
    drop(watch);
    assert!(start.elapsed() < Duration::from_secs(30), "{start:?}");
    drop(locked);
    ended.recv().expect("the callback continues");
    // The thread ends by itself, and drops the callback's variables.
    assert!(ended.recv().is_err());
    assert_eq!(Arc::strong_count(&lock), 1);
    assert_eq!(
        family.profile().every,
        0,
        "the tracking ends with the watch"
    );
}

/// Panics when it is dropped, with a value that panics when it is dropped, and so on.
struct Spiteful(&'static str);

impl Drop for Spiteful {
    fn drop(&mut self) {
        std::panic::panic_any(Self(self.0));
    }
}

#[test]
fn values_that_panic_when_dropped_do_not_end_the_watcher() {
    let name = "values_that_panic_when_dropped_do_not_end_the_watcher";
    let Some(output) = again(name, |_| {}) else {
        let owned = Spiteful("of the closure");
        let watch = mm::watch()
            .every(INTERVAL)
            .on_growth(move |_| {
                let _owned = &owned;
                std::panic::panic_any(Spiteful("thrown"));
            })
            .start()
            .expect("a thread");
        for name in ["growth:first", "growth:second"] {
            leak_until_named(family(name), &watch);
        }
        drop(watch);
        // This callback is never called, so it is dropped at the end of the watch.
        let owned = Spiteful("of another");
        let quiet = mm::watch().on_growth(move |_| println!("{}", owned.0));
        drop(quiet.start().expect("a thread"));
        exit(0);
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    let broken =
        "mm: the callback of the watcher panicked, and is not called again: `growth:first`";
    assert!(text.contains(broken), "{text}");
    assert!(text.contains("mm: `growth:second` has grown"), "{text}");
}
