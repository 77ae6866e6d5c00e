//! Processes that end in the middle: mm leaves nothing behind, on disk or elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mm::{MmBox, MmManaged};
use mm_tests::{Tally, command};

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Item(#[expect(dead_code, reason = "only its size matters")] [u64; 8]);

/// Children that are ended in each way.
const TIMES: u64 = 12;

static TURN: Mutex<()> = Mutex::new(());

/// How the child learns that it is one, and how it is to end.
const END: &str = "MM_TEST_END";

/// Allocates and releases until the process ends.
fn work() {
    let mut kept = Vec::new();
    for step in 0_usize.. {
        kept.push(Item::xcalloc(1 + step % 700));
        if kept.len() > 500 {
            kept.truncate(step % 300);
        }
        if step.is_multiple_of(5_000) {
            mm::trim();
        }
    }
}

/// The child: busy threads, a line that says so, and an end.
fn live_and_end(how: &str) {
    // SAFETY: no handler is asked for: a child that the test does not end is ended.
    unsafe { libc::alarm(60) };
    for _ in 0..3 {
        thread::spawn(work);
    }
    thread::sleep(Duration::from_millis(10));
    drop(mm::snapshot());
    println!("\nbusy");
    match how {
        "abort" => {
            thread::sleep(Duration::from_millis(5));
            std::process::abort();
        }
        _ => work(),
    }
}

/// All files below a folder, and folders.
fn files_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let path = |entry: fs::DirEntry| entry.path().display().to_string();
    entries.filter_map(Result::ok).map(path).collect()
}

/// Starts the child in an empty folder, which is all that it knows to write to; once it is busy.
fn start(name: &str, how: &str, folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = command(name)
        .env(END, how)
        .env("TMPDIR", folder)
        .env("HOME", folder)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while line.trim() != "busy" {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0, "ended early");
    }
    (child, out)
}

/// What the child has open or mapped that outlives it, besides the program and its libraries.
fn left_by(child: u32) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{child}/maps")).unwrap_or_default();
    let mapped = maps.lines().filter_map(|line| line.split_once(" /"));
    // Program text is mapped from files that stay as they are; memory that is shared is not.
    let shared = mapped.filter(|(range, path)| {
        range.contains("s ") || path.contains("(deleted)") || path.starts_with("dev/shm")
    });
    let shared = shared.map(|(_, path)| format!("/{path}"));
    let open = fs::read_dir(format!("/proc/{child}/fd"))
        .into_iter()
        .flatten();
    let open = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let open = open.map(|path| path.display().to_string());
    // What is open besides pipes and devices was inherited, and can only be read.
    let files = open.filter(|path| path.starts_with("/dev/shm") || path.contains("memfd"));
    shared.chain(files).collect()
}

/// Ends children in the middle, some times; `signal` is what they end by.
fn end_some(name: &str, how: &str, signal: i32) {
    if let Some(how) = std::env::var_os(END) {
        return live_and_end(how.to_str().expect("text"));
    }
    // The tests share the family, so they take turns.
    let _turn = TURN.lock();
    // The parent's own view, to be the same after.
    let parents = MmBox::new(Item([1; 8]));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for time in 0..TIMES {
        let (mut child, _out) = start(name, how, &folder);
        if signal == libc::SIGKILL {
            thread::sleep(Duration::from_millis(time * 3));
            assert_eq!(left_by(child.id()), Vec::<String>::new());
            child.kill().expect("still there");
        }
        let status = child.wait().expect("a child");
        assert_eq!(status.signal(), Some(signal));
        // A dump of the memory is the kernel's, if it makes one.
        let mut left = files_in(&folder);
        left.retain(|path| !path.contains("core"));
        assert!(left.is_empty(), "{left:?}");
    }
    drop(parents);
    mm::check().expect("the walker finds the same");
    let tally = Tally {
        faults: usize::try_from(TIMES).expect("few"),
        ..Tally::default()
    };
    println!("{tally}");
}

#[test]
fn killed_in_the_middle() {
    end_some("killed_in_the_middle", "killed", libc::SIGKILL);
}

#[test]
fn aborted_in_the_middle() {
    end_some("aborted_in_the_middle", "abort", libc::SIGABRT);
}
