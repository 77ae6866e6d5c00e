//! The compilers and tools of the machine.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use mm_tests::is_whole;

use crate::compile::{Form, Sources};

/// A tool that some machines lack.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    known: &'static OnceLock<bool>,
    look: fn(&str) -> bool,
}

macro_rules! tool {
    ($name:literal, $look:expr) => {{
        static KNOWN: OnceLock<bool> = OnceLock::new();
        Tool {
            name: $name,
            known: &KNOWN,
            look: $look,
        }
    }};
}

pub(crate) const GXX: Tool = tool!("g++", starts);
pub(crate) const CLANG: Tool = tool!("clang", starts);
pub(crate) const CLANGXX: Tool = tool!("clang++", starts);
pub(crate) const VALGRIND: Tool = tool!("valgrind", starts);
pub(crate) const SANITIZERS: Tool = tool!("-fsanitize=address,undefined", sanitizes);

/// Returns whether the programs run under valgrind and the sanitizers too. That takes most of the time of the
/// C tests, so only CI asks for it.
pub(crate) fn are_asked_for() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        if !is_whole() {
            leave_out("MM_TEST_ALL=1");
        }
        is_whole()
    })
}

impl Tool {
    /// Returns whether the tool is there. Prints a line the first time that it is missing.
    pub(crate) fn is_there(self) -> bool {
        *self.known.get_or_init(|| {
            let is_there = (self.look)(self.name);
            if !is_there {
                leave_out(self.name);
            }
            is_there
        })
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }
}

/// Prints that a tool is missing. It bypasses the test harness, which hides the output of passing tests.
pub(crate) fn leave_out(tool: &str) {
    let _ = writeln!(
        io::stderr(),
        "left out: what needs {tool}, which is not here"
    );
}

fn starts(name: &str) -> bool {
    let mut command = Command::new(name);
    command.arg("--version");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns whether the compiler knows the flag and has its runtime.
fn sanitizes(_flag: &str) -> bool {
    let program = Sources::of(&["nothing.c"]).try_compile(Form::Sanitized);
    program.is_ok_and(|program| program.run(&[]).status.success())
}
