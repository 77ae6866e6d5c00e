//! Runs a program and collects its output.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::compile::TESTS;

/// The most seconds that a program may run. Then the kernel ends it.
const SECONDS: u32 = 60;

/// Exit code of memcheck if it has something to report.
const REPORTED: i32 = 99;

/// A program that was compiled.
pub(crate) struct Program {
    file: PathBuf,
    is_watched: bool,
}

/// How a program ended, and its output.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The report of memcheck.
    pub(crate) report: String,
}

impl Program {
    pub(crate) fn new(file: PathBuf, is_watched: bool) -> Self {
        Self { file, is_watched }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, |_| {})
    }

    /// Runs the program in an environment that `change` prepares.
    pub(crate) fn run_with(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Ran {
        let report = self.report_of(arguments);
        let mut command = self.command(&report);
        command.args(arguments).current_dir(TESTS);
        command.env_remove("MM_OPTIONS").env_remove("NO_COLOR");
        change(&mut command);
        // SAFETY: between fork and exec `end_in_time` calls only `alarm`, which is async-signal-safe.
        unsafe { command.pre_exec(end_in_time) };
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            status: output.status,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            report: std::fs::read_to_string(report).unwrap_or_default(),
        }
    }

    fn command(&self, report: &Path) -> Command {
        if !self.is_watched {
            return Command::new(&self.file);
        }
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--num-callers=20"]);
        valgrind.arg(format!("--error-exitcode={REPORTED}"));
        // A separate file, so that standard error has only the program's output.
        valgrind.arg(format!("--log-file={}", report.display()));
        valgrind.arg(&self.file);
        valgrind
    }

    fn report_of(&self, arguments: &[&str]) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(format!("-{}.log", arguments.join("-")));
        name.into()
    }
}

/// Makes the kernel end this process after `SECONDS`, also after it executes another program.
#[expect(clippy::unnecessary_wraps, reason = "`pre_exec` wants it so")]
fn end_in_time() -> io::Result<()> {
    // SAFETY: no handler of the signal is set, so it only ends the process.
    unsafe { libc::alarm(SECONDS) };
    Ok(())
}

impl Ran {
    /// Checks that the program ended well, and that no tool reports anything.
    #[track_caller]
    pub(crate) fn ends_well(&self) -> &Self {
        assert!(self.status.success() && self.report.is_empty(), "{self:#?}");
        self
    }

    /// Checks that the program ended itself by `abort`.
    #[track_caller]
    pub(crate) fn aborts(&self) -> &Self {
        assert_eq!(self.status.signal(), Some(libc::SIGABRT), "{self:#?}");
        self
    }

    /// Checks that standard error has exactly these lines, with addresses masked.
    #[track_caller]
    pub(crate) fn reports(&self, lines: &[String]) -> &Self {
        let said: Vec<_> = self.stderr.lines().map(without_addresses).collect();
        assert_eq!(said, lines, "{self:#?}");
        self
    }
}

/// Returns a text with `0x..` in place of each address.
pub(crate) fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
        format!("{all}0x..{rest}")
    })
}
