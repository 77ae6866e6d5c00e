//! Reports have colours on a terminal, unless `NO_COLOR` is set.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;

use crate::compile::{Form, Sources};
use crate::run::Program;

/// Returns the output of the program on a terminal, with `NO_COLOR` as given.
fn printed(program: &Program, no_color: &str) -> String {
    let (mut terminal, program_side) = terminal();
    let ran = program.run_with(&[], |command| {
        command.env("NO_COLOR", no_color).stdout(program_side);
    });
    ran.ends_well().reports(&[]);
    let mut text = Vec::new();
    // Once no process has the other side open, a terminal reports an error, not the end of the file.
    let _ = terminal.read_to_end(&mut text);
    String::from_utf8(text).expect("text").replace("\r\n", "\n")
}

/// Opens both sides of a terminal. Its buffer has room for the report.
fn terminal() -> (File, File) {
    let (mut ours, mut theirs) = (-1, -1);
    let null = std::ptr::null_mut::<libc::c_char>;
    let [settings, size] = [std::ptr::null(); 2].map(<*const libc::c_void>::cast_mut);
    // SAFETY: the call writes to both file descriptors, and its other arguments may be null.
    let opened = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            null(),
            settings.cast(),
            size.cast(),
        )
    };
    assert_eq!(opened, 0, "a terminal");
    // SAFETY: the call opened it, and no other code has it.
    let ours = unsafe { File::from_raw_fd(ours) };
    // SAFETY: as above.
    let theirs = unsafe { File::from_raw_fd(theirs) };
    (ours, theirs)
}

#[test]
fn a_terminal_has_colours_if_they_are_wanted() {
    let program = Sources::of(&["colours.c"]).compile(Form::Static);
    let text = printed(&program, "");
    // The line ends before its colour does.
    let head = "\x1b[32mvm_page_family : emp_t, struct size = 36\n\x1b[0m";
    assert!(text.contains(head), "{text:?}");
    assert!(text.contains("\x1b[33m\t\t\t0x"), "{text:?}");
    let pages = "\x1b[35m# Of VM Pages in Use : 1 (";
    assert!(text.contains(pages), "{text:?}");

    let text = printed(&program, "1");
    let head = "\nvm_page_family : emp_t, struct size = 36\n";
    assert!(text.contains(head) && !text.contains('\x1b'), "{text:?}");
}
