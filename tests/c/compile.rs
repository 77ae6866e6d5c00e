//! Compiles sources to a program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::library::{self, SCRATCH};
use crate::run::Program;
use crate::tools::{self, SANITIZERS, VALGRIND};

/// The compiler runs in this folder, so mm's messages name source files relative to it.
pub(crate) const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// The folder of the programs, relative to that.
pub(crate) const PROGRAMS: &str = "c/programs/";

/// Warnings that users of the headers turn on.
pub(crate) const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wshadow", "-Werror"];

/// The library that a program links, and the tool that it runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With `libmm.a`.
    Static,
    /// With `libmm.so`.
    Shared,
    /// With `libmm.so`, under the sanitizers for addresses and undefined behaviour.
    Sanitized,
    /// With `libmm.a`, under valgrind.
    Memcheck,
}

impl Form {
    /// Returns the plain forms; or, if the tools are asked for, those whose tools the machine has.
    /// `Sanitized` then replaces `Shared`.
    pub(crate) fn all() -> Vec<Self> {
        if !tools::are_asked_for() {
            return Self::plain();
        }
        let mut all = vec![Self::Static];
        all.push(if SANITIZERS.is_there() {
            Self::Sanitized
        } else {
            Self::Shared
        });
        all.extend(VALGRIND.is_there().then_some(Self::Memcheck));
        all
    }

    /// Returns the forms that need no tools.
    pub(crate) fn plain() -> Vec<Self> {
        vec![Self::Static, Self::Shared]
    }

    /// Returns the forms that link `libmm.a`: only that has the original's names.
    pub(crate) fn archived() -> Vec<Self> {
        let is_archived = |form: &Self| matches!(form, Self::Static | Self::Memcheck);
        Self::all().into_iter().filter(is_archived).collect()
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Sanitized => &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
            _ => &[],
        }
    }

    /// Returns the linker's arguments for the library.
    fn library(self) -> Vec<String> {
        let folder = library::folder().display();
        match self {
            Self::Static | Self::Memcheck => vec![format!("{folder}/libmm.a")],
            Self::Shared | Self::Sanitized => {
                vec![format!("{folder}/libmm.so"), format!("-Wl,-rpath,{folder}")]
            }
        }
    }
}

/// The source files and flags of one program.
#[derive(Clone)]
pub(crate) struct Sources {
    names: Vec<&'static str>,
    flags: Vec<&'static str>,
    name: String,
}

impl Sources {
    /// Names files of `programs/`.
    pub(crate) fn of(names: &[&'static str]) -> Self {
        Self {
            names: names.to_vec(),
            flags: Vec::new(),
            name: names[0].replace(['.', '/'], "-"),
        }
    }

    /// Adds flags, which make it another program.
    pub(crate) fn with(mut self, flags: &[&'static str]) -> Self {
        self.flags.extend(flags);
        self.name.extend(flags.iter().copied());
        self
    }

    pub(crate) fn first(&self) -> &'static str {
        self.names[0]
    }

    #[track_caller]
    pub(crate) fn compile(&self, form: Form) -> Program {
        match self.try_compile(form) {
            Ok(program) => program,
            Err(errors) => panic!("{:?} as {form:?}: {errors}", self.names),
        }
    }

    /// Compiles the program, or returns the compiler's messages.
    pub(crate) fn try_compile(&self, form: Form) -> Result<Program, String> {
        let program = self.file(form);
        let mut command = self.compiler();
        command.args(WARNINGS).args(form.flags()).args(&self.flags);
        command.args(["-g", "-O1", "-o"]).arg(&program);
        let sources = self.names.iter().map(|name| format!("{PROGRAMS}{name}"));
        command.args(sources).args(form.library());
        command.args(["-lpthread", "-ldl", "-lm"]);
        said(&command.output().expect("a compiler"))?;
        Ok(Program::new(program, form == Form::Memcheck))
    }

    /// Returns the C++ compiler if any source is C++, because `cc` cannot link that.
    fn compiler(&self) -> Command {
        let mut extensions = self.names.iter().map(|name| Path::new(name).extension());
        let is_cpp = extensions.any(|extension| extension == Some("cpp".as_ref()));
        compiler(if is_cpp { "g++" } else { "cc" })
    }

    fn file(&self, form: Form) -> PathBuf {
        let folder = Path::new(SCRATCH).join("c-programs");
        fs::create_dir_all(&folder).expect("a folder for programs");
        // One file for each program and form, so no test overwrites a program of another one.
        folder.join(format!("{}-{form:?}", self.name))
    }
}

/// Returns a compiler that finds the headers.
pub(crate) fn compiler(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(TESTS).args(["-I", "../mm/include"]);
    command
}

/// Returns the compiler's messages as an error if it failed.
pub(crate) fn said(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
