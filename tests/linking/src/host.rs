//! Loads the plugin, uses it, closes it, and goes on: with threads that used it, with forks, with the
//! plugin once more, and with copies of it under other names, if it is told how many.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::mpsc;
use std::thread;

use libloading::Library;
use mm::{MmBox, MmManaged};

/// Each uses the heap that the first one left; fewer where each takes its time over many types.
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
    let copies = env::args()
        .nth(2)
        .map_or(0, |copies| copies.parse().expect("a number"));
    copies_take_few_addresses(&plugin, copies);

    assert_eq!(own.0, 7);
    let names: Vec<_> = mm::families().map(mm::PageFamily::name).collect();
    assert_eq!(names, ["OfTheHost"], "a plugin has a registry of its own");
    mm::check().expect("the host's figures are right");
    println!("{}", on_a_thread(&plugin));
}

/// Loads copies under new names, as a program does that takes up new versions of a plugin. Each has a
/// heap of its own, and stays loaded once it was used.
fn copies_take_few_addresses(plugin: &Path, copies: usize) {
    let folder = env::temp_dir().join(format!("mm-test-linking-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for number in 0..copies {
        let copy = folder.join(format!("plugin-{number}.so"));
        fs::copy(plugin, &copy).expect("room for a copy");
        let bytes = fs::metadata(&copy).expect("it is there").len();
        let before = address_space();
        let unused = load(&copy);
        let grown = address_space() - before;
        assert!(
            grown < bytes + (16 << 20),
            "{grown} bytes for an unused copy"
        );
        unused.close().expect("the copy closes");
        on_a_thread(&copy);
        let grown = address_space() - before;
        // What threads leave behind is among it.
        assert!(
            grown < bytes + (256 << 20),
            "{grown} bytes for copy {number}"
        );
        // What is loaded stays there.
        fs::remove_file(&copy).expect("it is there");
    }
    fs::remove_dir(&folder).expect("it is empty");
}

/// Bytes of addresses that the process uses. Source: `proc_pid_statm(5)`: the first number counts OS
/// pages.
fn address_space() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = text.split_ascii_whitespace().next().expect("a number");
    // SAFETY: `sysconf` has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.parse::<u64>().expect("a number") * u64::try_from(page).expect("a size")
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
        let thread = scope.spawn(move || {
            done.send(probe()).expect("the main thread waits");
            // An error: the other end is dropped.
            wait_until_closed.recv().unwrap_err();
        });
        wait_until_done.recv().expect("the probe ends");
        library.close().expect("the plugin closes");
        drop(close);
        // A scope itself does not wait for the destructors of the thread's locals.
        thread.join().expect("no panic");
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
