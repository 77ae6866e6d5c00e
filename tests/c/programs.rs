//! Programs with one subject each, in all forms.

use std::fs;
use std::path::Path;

use crate::compile::{Form, Sources, TESTS};
use crate::expected::{as_golden, is_right, is_right_as, messages_of, program_is_right};

#[test]
fn what_is_released_is_used_again() {
    program_is_right("lists.c");
}

#[test]
fn what_cannot_be_is_refused() {
    program_is_right("refusals.c");
}

#[test]
fn sizes_have_no_bounds() {
    program_is_right("sizes.c");
}

#[test]
fn families_and_names_have_no_bounds() {
    program_is_right("families.c");
}

#[test]
fn structs_are_aligned() {
    program_is_right("aligned.c");
}

#[test]
fn blocks_change_their_length() {
    program_is_right("realloc.c");
}

#[test]
fn memory_is_zeroed() {
    program_is_right("zeroed.c");
}

#[test]
fn no_start_is_needed() {
    program_is_right("init.c");
}

#[test]
fn macros_stand_anywhere() {
    is_right(&Sources::of(&["macros.c", "macros_other.c"]));
}

#[test]
fn two_structs_of_one_name_are_told_apart() {
    is_right(&Sources::of(&["two_sizes.c", "two_sizes_other.c"]));
    let sources = Sources::of(&["two_sizes.cpp", "two_sizes_other.c"]);
    let ran = sources.compile(Form::Static).run(&[]);
    ran.ends_well().reports(&messages_of("two_sizes.c"));
    program_is_right("two_sizes_instance.c");
}

#[test]
fn a_struct_that_mm_cannot_align_does_not_compile() {
    let errors = Sources::of(&["too_aligned.c"]).try_compile(Form::Static);
    let errors = errors.err().expect("it does not compile");
    assert!(errors.contains("MM_REG_STRUCT"), "{errors}");
}

#[test]
fn threads_register_together() {
    program_is_right("register.c");
}

#[test]
fn threads_hand_blocks_over() {
    program_is_right("threads.c");
}

#[test]
fn a_forked_child_goes_on() {
    program_is_right("forks.c");
}

#[test]
fn blocks_outlive_threads_and_main() {
    program_is_right("endings.c");
}

/// Without the tools: the program leaves them too little address space.
#[test]
fn a_refusal_of_the_kernel_is_survived() {
    is_right_as(&Sources::of(&["out_of_memory.c"]), &Form::plain());
}

#[test]
fn a_forked_child_reports_what_it_allocated_itself() {
    let program = Sources::of(&["leaks.c"]).compile(Form::Static);
    let ran = program.run_with(&[], |command| {
        command.env("MM_OPTIONS", "leaks=3");
    });
    // With glibc the program's own exit code takes precedence over the code for leaks.
    assert_eq!(ran.status.code(), Some(7), "{ran:#?}");
    let reports = ran.stderr.lines().filter(|line| line.contains("at exit"));
    let expected = [
        "mm: at exit, 1 page family holds 2 blocks, 72 B",
        "mm: at exit, 1 page family holds 5 blocks, 180 B",
    ];
    assert_eq!(reports.collect::<Vec<_>>(), expected, "{ran:#?}");
}

#[test]
fn the_new_interface_is_right() {
    let programs = [
        "api_blocks.c",
        "api_families.c",
        "api_limits.c",
        "api_reports.c",
        "api_stats.c",
        "api_threads.c",
    ];
    programs
        .iter()
        .for_each(|name| ends_well_as(name, Form::Static));
}

/// Checks only that a program ends well, because its children write to standard error, too.
#[track_caller]
fn ends_well_as(name: &'static str, form: Form) {
    let program = Sources::of(&[name]).compile(form);
    program.run(&[]).ends_well();
}

/// Debug builds place blocks as release builds do. `tests/c/install` checks those.
#[test]
fn the_demonstration_prints_its_golden_file() {
    let ran = Sources::of(&["../../../examples/c/employees.c"])
        .compile(Form::Static)
        .run(&[]);
    let golden = Path::new(TESTS).join("../examples/c/employees.golden");
    let golden = fs::read_to_string(golden).expect("it stands beside the program");
    let said = as_golden(&ran.ends_well().stdout);
    // The number of spaces after an address depends on its length.
    let is_same = said.split_whitespace().eq(golden.split_whitespace());
    assert!(is_same, "\n--- golden\n{golden}\n--- now\n{said}");
}

/// A wrong option ends the process at the first call, whichever function that is.
#[test]
fn every_call_that_may_be_the_first_starts_mm() {
    let program = Sources::of(&["first_call.c"]).compile(Form::Static);
    for call in ["register", "find", "all", "stats", "openmetrics"] {
        assert!(program.run(&[call]).status.success(), "{call}");
        let refused = program.run_with(&[call], |command| {
            command.env("MM_OPTIONS", "nonsense");
        });
        assert_eq!(refused.status.code(), Some(2), "{call}");
    }
}
