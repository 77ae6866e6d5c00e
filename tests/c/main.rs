//! The C door as C programs see it: those in `programs/` are compiled with `cc`, linked with the
//! library, and run.
//!
//! What a program has to say on standard error stands in its comments, at the lines that are to
//! blame: `/* says: .. */`. What it prints stands in `golden/`; `MM_UPDATE_GOLDEN=1` writes that anew.
//! A compiler or a tool that the machine lacks is left out, and a line says so. With `MM_TEST_ALL=1`
//! the programs run under valgrind and the sanitizers as well.
#![cfg(all(target_os = "linux", not(miri)))]

mod compile;
mod dialects;
mod double_release;
mod expected;
mod faces;
mod library;
mod linking;
mod memcheck;
mod programs;
mod run;
mod terminal;
mod tools;
