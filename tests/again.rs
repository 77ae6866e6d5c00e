//! Support for a test that runs itself again in a separate process, for state that a process has once.

use std::env;
use std::process::{Command, Output};

/// Tells a test that it is the child.
const CHILD: &str = "MM_TEST_CHILD";

/// A child that takes longer hangs, and is ended by the kernel.
const SECONDS: u32 = 120;

/// Runs the test `name` again as a child, which `change` prepares. `None` in that child.
///
/// # Panics
///
/// If there can be no child.
pub fn again(name: &str, change: impl FnOnce(&mut Command)) -> Option<Output> {
    if env::var_os(CHILD).is_some() {
        // SAFETY: no handler is asked for: a child that hangs is ended.
        unsafe { libc::alarm(SECONDS) };
        return None;
    }
    let mut child = command(name);
    child.env(CHILD, "1");
    change(&mut child);
    Some(child.output().expect("a child"))
}

/// Returns a command that runs the test `name` of this program, and no other.
///
/// # Panics
///
/// If the system does not say where the program is.
#[must_use]
pub fn command(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a path"));
    command.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
    command
}

/// As [`again`], and the child has to end well; whether this is the child.
///
/// # Panics
///
/// If the child failed, with what it said.
pub fn is_child(name: &str, change: impl FnOnce(&mut Command)) -> bool {
    let Some(output) = again(name, change) else {
        return true;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    assert!(status.success(), "{name}: {status}\n{text}{errors}");
    print!("{text}");
    false
}

/// As [`again`], with these `MM_OPTIONS`.
///
/// # Panics
///
/// As [`again`].
#[must_use]
pub fn again_with(name: &str, options: &str) -> Option<Output> {
    again(name, |child| {
        child.env("MM_OPTIONS", options);
    })
}

/// As [`is_child`], with these `MM_OPTIONS`.
///
/// # Panics
///
/// As [`is_child`].
#[must_use]
pub fn is_child_with(name: &str, options: &str) -> bool {
    is_child(name, |child| {
        child.env("MM_OPTIONS", options);
    })
}

/// As [`is_child`], of a child that runs under an `ulimit`.
///
/// # Panics
///
/// As [`is_child`].
#[must_use]
pub fn under(limit: &str, name: &str) -> bool {
    is_child(name, |child| limited(child, limit))
}

/// Has a shell run the child, after `limit`: an `ulimit` that holds for the child alone.
pub fn limited(child: &mut Command, limit: &str) {
    in_shell(child, &format!("{limit} && exec \"$0\" \"$@\""));
}

/// Has a shell run `line`, whose `$0` and `$@` are the child and its arguments.
pub fn in_shell(child: &mut Command, line: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).arg(child.get_program());
    shell.args(child.get_args());
    for (name, value) in child.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    *child = shell;
}
