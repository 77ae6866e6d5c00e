//! The original interfaces, without and with instances, and their reports.

use crate::compile::{Form, Sources};
use crate::expected::{is_right, program_is_right};

#[test]
fn instances_are_separate() {
    program_is_right("instances.c");
}

#[test]
fn both_faces_are_one_heap() {
    is_right(&Sources::of(&["both_faces.c", "both_faces_other.c"]));
}

#[test]
fn an_option_chooses_the_face() {
    is_right(&Sources::of(&["by_option.c"]).with(&["-DMM_UAPI_INSTANCE"]));
}

#[test]
fn one_source_cannot_have_both_faces() {
    for name in ["mixed.c", "mixed_other.c"] {
        let refused = Sources::of(&[name]).try_compile(Form::Static);
        let errors = refused.err().expect("it does not compile");
        let why = "give the same names to different functions: include one";
        assert!(
            errors.contains("#error") && errors.contains(why),
            "{errors}"
        );
    }
}

#[test]
fn reports_have_the_words_of_the_original() {
    program_is_right("report_uapi.c");
}

#[test]
fn reports_of_instances_have_the_words_of_the_original() {
    program_is_right("report_instance.c");
}
