//! Loads the plugin, uses it, closes it, and goes on: with threads that used it, with forks, and
//! with the plugin once more.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use libloading::Library;
use mm::{MmBox, MmManaged};

/// More than there is room for, if each left its reservation of addresses behind; fewer where each
/// takes its time over many types.
const RELOADS: usize = if cfg!(feature = "many") { 5 } else { 300 };

/// What the plugin exports.
type Probe = extern "C" fn() -> usize;

#[derive(MmManaged)]
struct OfTheHost(u64);

fn main() {
    let plugin = PathBuf::from(env::args_os().nth(1).expect("the plugin's file"));
    let plugin = fs::canonicalize(plugin).expect("the plugin is there");
    let own = MmBox::new(OfTheHost(7));

    for _ in 0..RELOADS {
        on_a_thread(&plugin);
    }
    a_thread_ends_after_its_plugin(&plugin);
    a_child_goes_on(&plugin);

    assert_eq!(own.0, 7);
    let names: Vec<_> = mm::families().map(mm::PageFamily::name).collect();
    assert_eq!(names, ["OfTheHost"], "a plugin has a registry of its own");
    mm::check().expect("the host's figures are right");
    println!("{}", on_a_thread(&plugin));
}

/// Loads the plugin, runs the probe in it on a thread, and closes it after the thread's end.
fn on_a_thread(plugin: &Path) -> usize {
    let library = load(plugin);
    let probe = symbol(&library);
    let families = thread::spawn(move || probe()).join();
    library.close().expect("the plugin closes");
    families.expect("the probe ends")
}

fn load(plugin: &Path) -> Library {
    // SAFETY: its constructors do nothing but register families.
    unsafe { Library::new(plugin) }.expect("the plugin loads")
}

fn symbol(plugin: &Library) -> Probe {
    // SAFETY: the plugin defines it so.
    let probe = unsafe { plugin.get::<Probe>(b"mm_test_linking") };
    *probe.expect("the plugin exports it")
}

/// A thread that has caches in the plugin ends after the plugin was closed.
fn a_thread_ends_after_its_plugin(plugin: &Path) {
    let (done, wait_until_done) = mpsc::channel();
    let (close, wait_until_closed) = mpsc::channel::<()>();
    let library = load(plugin);
    thread::scope(|scope| {
        let probe = symbol(&library);
        scope.spawn(move || {
            done.send(probe()).expect("the main thread waits");
            // An error: the other end is dropped.
            wait_until_closed.recv().unwrap_err();
        });
        wait_until_done.recv().expect("the probe ends");
        library.close().expect("the plugin closes");
        drop(close);
    });
}

/// Forks while the plugin is closed; the child opens it again.
fn a_child_goes_on(plugin: &Path) {
    // SAFETY: no other thread runs, and the child leaves by `_exit`.
    match unsafe { libc::fork() } {
        0 => in_the_child(plugin),
        child => {
            let mut status = 0;
            // SAFETY: `status` can be written to.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!((waited, status), (child, 0), "the child ends well");
        }
    }
}

fn in_the_child(plugin: &Path) -> ! {
    // SAFETY: no handler is asked for: a child that hangs is ended.
    unsafe { libc::alarm(20) };
    on_a_thread(plugin);
    // SAFETY: nothing is left to do.
    unsafe { libc::_exit(0) }
}
