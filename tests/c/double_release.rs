//! A second release ends the program, and the message names the place, the family and the address.

use crate::compile::{Form, Sources};
use crate::expected::messages_of;
use crate::run::Program;

/// Sizes that mm places differently, up to blocks with mappings of their own.
const BYTES: [&str; 11] = [
    "1", "4", "7", "8", "12", "16", "36", "64", "4090", "65448", "3145728",
];

/// The events between the two releases.
const CASES: [&str; 7] = [
    "at-once", "between", "row", "merged", "realloc", "emptied", "thread",
];

const PROGRAM: &str = "double_release.c";

#[track_caller]
fn is_reported(program: &Program, cases: &[&str], bytes: &[&str]) {
    for case in cases {
        for bytes in bytes {
            let ran = program.run(&[case, bytes]);
            ran.aborts().reports(&[message(case)]);
            assert_eq!(ran.stdout, "", "{case} of {bytes} bytes");
        }
    }
}

fn message(case: &str) -> String {
    let of_units = messages_of(PROGRAM).remove(0);
    match case {
        "buffer" => of_units.replace("unit_t", "Misc"),
        _ => of_units,
    }
}

#[test]
fn a_second_release_aborts() {
    for form in Form::plain() {
        let program = Sources::of(&[PROGRAM]).compile(form);
        is_reported(&program, &CASES, &BYTES);
        is_reported(&program, &["buffer"], &BYTES);
    }
}

#[test]
fn a_second_release_aborts_under_the_tools() {
    let plain = Form::plain();
    for form in Form::all().into_iter().filter(|form| !plain.contains(form)) {
        let program = Sources::of(&[PROGRAM]).compile(form);
        is_reported(
            &program,
            &["at-once", "between", "row", "thread", "buffer"],
            &["36"],
        );
    }
}
