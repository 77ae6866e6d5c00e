//! The C interface in C programs. The programs in `programs/` are compiled with `cc`, linked with the
//! library, and run.
//!
//! A program's expected output on standard error is in its comments, at the lines that cause it:
//! `/* says: .. */`. Its expected standard output is in `golden/`; `MM_UPDATE_GOLDEN=1` updates it. If the
//! machine lacks a compiler or a tool, the test skips it and prints a line. With `MM_TEST_ALL=1`
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
