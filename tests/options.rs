//! How options reach mm: from `main`, from the environment, and from two threads at once. They are
//! chosen once a process, so each test runs itself again, in a process of its own.

use std::alloc::Layout;
use std::hint;
use std::path::Path;
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use mm::{MmBox, MmManaged, Options, OptionsError, PageFamily};
use mm_tests::{again, again_with, counts, is_child, is_child_with};

#[derive(MmManaged)]
struct Key(#[expect(dead_code, reason = "only that it is there matters")] [u64; 6]);

extern "C" fn register_at_exit() {
    let family = PageFamily::register("at exit", Layout::new::<u64>());
    assert!(family.is_ok());
}

#[test]
fn unknown_options_end_the_process_with_those_that_are_known() {
    let name = "unknown_options_end_the_process_with_those_that_are_known";
    let Some(output) = again_with(name, "poison,gard") else {
        return drop(MmBox::new(Key([1; 6])));
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("MM_OPTIONS: unknown option `gard`; known are random,"));
}

#[test]
fn unknown_options_end_a_process_that_registers_families_at_exit() {
    let name = "unknown_options_end_a_process_that_registers_families_at_exit";
    if let Some(output) = again_with(name, "gard") {
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        return;
    }
    // SAFETY: the function may be called at exit: that is what the test is about.
    assert_eq!(unsafe { libc::atexit(register_at_exit) }, 0);
    drop(PageFamily::register("first", Layout::new::<u64>()));
    unreachable!("the options are unknown");
}

#[test]
fn options_of_the_program_come_before_the_first_block() {
    let name = "options_of_the_program_come_before_the_first_block";
    if !is_child_with(name, "quarantine=1KiB") {
        return;
    }
    Options::new().zero_on_release().apply().expect("in time");
    let stale = MmBox::into_raw(MmBox::new(Key([u64::MAX; 6])));
    let stale = NonNull::new(stale).expect("a box").cast::<u8>();
    // SAFETY: the pointer came out of `into_raw`.
    unsafe { mm::xfree_raw(stale) }.expect("live");
    // SAFETY: the memory is mapped, and no thread writes to it.
    assert_eq!(unsafe { stale.cast::<[u64; 6]>().read_volatile() }, [0; 6]);
    // Both were taken: what `main` said, and the environment.
    assert_eq!(counts(Key::page_family()), (0, 0, 1));
    assert_eq!(Options::new().poison().apply(), Err(OptionsError::TooLate));
}

#[test]
fn of_two_threads_that_choose_one_is_heard_whole() {
    let name = "of_two_threads_that_choose_one_is_heard_whole";
    // With more than one of them, two threads choose at once in a few.
    for _ in 0..300 {
        let without = |child: &mut Command| {
            child.env_remove("MM_OPTIONS");
        };
        if is_child(name, without) {
            return choose_twice();
        }
    }
}

/// Has two threads choose; one is heard, and the one whose options hold.
fn choose_twice() {
    let start = AtomicBool::new(false);
    let choose = |options: Options| {
        while !start.load(Relaxed) {
            hint::spin_loop();
        }
        options.apply().is_ok()
    };
    let random = Options::new().random_order();
    let kept = thread::scope(|scope| {
        let other = scope.spawn(|| choose(random));
        let mine = scope.spawn(|| choose(random.quarantine(1 << 20)));
        start.store(true, Relaxed);
        let (other, mine) = (other.join(), mine.join().expect("no panic"));
        assert!(other.expect("no panic") != mine, "one is heard");
        mine
    });
    drop(MmBox::new(Key([1; 6])));
    assert_eq!(counts(Key::page_family()), (0, 0, u64::from(kept)));
}

/// Makes `child` a set-user-ID copy of itself that a user without rights starts.
///
/// Another program copies: a file that this one writes to might be open in a child that a test next
/// door starts meanwhile, and could not be run.
#[cfg(target_os = "linux")]
fn start_with_rights_of_root(child: &mut Command, copy: &Path) {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let mut install = Command::new("install");
    install
        .arg("--mode=4755")
        .arg(child.get_program())
        .arg(copy);
    assert!(install.status().is_ok_and(|status| status.success()));
    let mut other = Command::new(copy);
    other.args(child.get_args()).uid(NOBODY).gid(NOBODY);
    for (name, value) in child.get_envs() {
        other.env(name, value.expect("set"));
    }
    *child = other;
}

#[cfg(target_os = "linux")]
#[test]
fn programs_with_rights_of_others_do_not_listen_to_the_environment() {
    let name = "programs_with_rights_of_others_do_not_listen_to_the_environment";
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return println!("left out: only root can make a set-user-ID program");
    }
    let copy = std::env::temp_dir().join(format!("mm-options-{}", std::process::id()));
    let output = again(name, |child| {
        child.env("MM_OPTIONS", "gard");
        start_with_rights_of_root(child, &copy);
    });
    let Some(output) = output else {
        return drop(MmBox::new(Key([1; 6])));
    };
    drop(std::fs::remove_file(&copy));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_environment_is_that_which_the_process_was_started_with() {
    let name = "the_environment_is_that_which_the_process_was_started_with";
    if !is_child_with(name, "quarantine=1KiB") {
        return;
    }
    // Safe up to edition 2021, on any thread and at any time. An unknown option would end the process.
    // SAFETY: no other thread looks at the environment.
    unsafe { std::env::set_var("MM_OPTIONS", "gard") };
    drop(MmBox::new(Key([1; 6])));
    assert_eq!(
        counts(Key::page_family()),
        (0, 0, 1),
        "the quarantine has it"
    );
}
