//! A memory limit of a control group. The kernel kills a process that exceeds it, so no error can be
//! tested: the test checks that released memory no longer counts.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Output};
use std::thread;
use std::time::Duration;

use mm::{MmBox, MmManaged, PageFamily};
use mm_tests::{OwnedBlock, Tally, again, family, in_shell, release_all};

/// What the group may use, and what the child has live at most.
const LIMIT: usize = 96 << 20;
const LIVE: usize = 64 << 20;

/// Rounds of the child. Together they allocate many times the limit.
const ROUNDS: usize = 20;

/// A control group of this test's own, which goes with it.
struct Group {
    path: PathBuf,
    usage: &'static str,
}

impl Group {
    /// Makes a group with a limit of memory, in either version of the interface. Sources:
    /// cgroups(7); "Memory Resource Controller" and "Control Group v2" of the kernel's
    /// documentation.
    fn new(test: &str) -> Result<Self, String> {
        let version_1 = ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes");
        let version_2 = (".", "memory.max", "memory.current");
        let mut why = "no controller of memory".to_owned();
        for (root, limit, usage) in [version_1, version_2] {
            let root = Path::new("/sys/fs/cgroup").join(root);
            // Else these are folders like any other.
            if !root.join("cgroup.procs").exists() {
                continue;
            }
            let path = root.join(format!("mm-{test}-{}", process::id()));
            let group = match fs::create_dir(&path) {
                Ok(()) => Self { path, usage },
                Err(error) => {
                    why = format!("{}: {error}", path.display());
                    continue;
                }
            };
            let file = OpenOptions::new().write(true).open(group.path.join(limit));
            match file.and_then(|mut file| file.write_all(LIMIT.to_string().as_bytes())) {
                Ok(()) => return Ok(group),
                Err(error) => why = format!("{limit}: {error}"),
            }
        }
        Err(why)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel takes a while to see that no process is in it.
        let mut tries = 0..200;
        while tries.next().is_some() && fs::remove_dir(&self.path).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// How the child learns of its group.
const GROUP: &str = "MM_TEST_GROUP";

/// Bytes that the group uses; without one, that are resident.
fn usage() -> usize {
    let text = match std::env::var_os(GROUP) {
        Some(file) => fs::read_to_string(file).expect("the group's usage"),
        None => {
            let resident = mm::snapshot().process_resident_bytes;
            return usize::try_from(resident.expect("the system says it")).expect("64 bits");
        }
    };
    text.trim().parse().expect("a number")
}

#[derive(MmManaged)]
struct Item(#[expect(dead_code, reason = "only its size matters")] [u64; 8]);

/// Makes `LIVE` bytes of values of one type, and drops them.
fn make_items() {
    let items: Vec<_> = (0..LIVE / size_of::<Item>())
        .map(|_| MmBox::new(Item([1; 8])))
        .collect();
    drop(items);
}

/// The same with blocks of a family.
fn make_blocks(family: &'static PageFamily, units: usize) {
    let bytes = family.layout().size() * units;
    let blocks: Vec<_> = (0..LIVE / bytes)
        .map(|_| {
            let block = OwnedBlock::new(family, units);
            // SAFETY: the block is live, ours, and this long.
            unsafe { block.start().write_bytes(1, bytes) };
            block
        })
        .collect();
    release_all(blocks);
}

/// Types take turns with as much memory as there can be for one of them.
fn take_turns() {
    let families = [("large", 400_000), ("rows", 36), ("singles", 4_096)]
        .map(|(name, size)| family(&format!("cgroup:{name}"), size, 4));
    // Pages of the program and of what the test itself needs.
    make_items();
    mm::trim();
    let before = usage();
    for round in 0..ROUNDS {
        match round % 4 {
            0 => make_blocks(families[0], 2),
            1 => make_blocks(families[1], 500),
            2 => make_blocks(families[2], 1),
            _ => make_items(),
        }
        mm::trim();
        let kept = usage().saturating_sub(before);
        assert!(kept < 12 << 20, "{kept} bytes more after round {round}");
    }
    mm::check().expect("the walker finds the same");
}

/// Runs the test `name` again as a child in a new group, if there can be one; `None` in that child.
fn in_group(name: &str) -> Option<(Result<Group, String>, Output)> {
    let mut made = Err(String::new());
    let output = again(name, |child| {
        made = Group::new(name);
        if let Ok(group) = &made {
            child.env("MM_TEST_PROCS", group.path.join("cgroup.procs"));
            child.env(GROUP, group.path.join(group.usage));
            // The shell enters the group, and is the child from then on.
            in_shell(child, "echo $$ > \"$MM_TEST_PROCS\" && exec \"$0\" \"$@\"");
        }
    });
    Some((made, output?))
}

#[test]
fn who_releases_stays_below_the_limit() {
    let Some((group, output)) = in_group("who_releases_stays_below_the_limit") else {
        return take_turns();
    };
    match &group {
        Ok(group) => println!("in {} with {LIMIT} bytes", group.path.display()),
        Err(why) => println!("no control group ({why}); resident bytes are looked at instead"),
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let tally = Tally {
        faults: usize::from(group.is_ok()),
        ..Tally::default()
    };
    println!("{tally}");
}

/// The limit holds: else the test above would show nothing.
#[test]
fn who_keeps_everything_is_killed() {
    let Some((group, output)) = in_group("who_keeps_everything_is_killed") else {
        let values = (0..2 * LIMIT / size_of::<Item>()).map(|_| MmBox::new(Item([1; 8])));
        println!("{} values live", values.collect::<Vec<_>>().len());
        return;
    };
    match group {
        Ok(_) => assert_eq!(output.status.signal(), Some(libc::SIGKILL)),
        Err(why) => println!("no control group ({why}): nothing to be killed by"),
    }
}
