//! The expected reports of memcheck on programs with a fault.

use crate::compile::{Form, Sources};
use crate::tools::{VALGRIND, are_asked_for};

/// A fault, and the lines of the report on it.
const FAULTS: [(&str, &[&str]); 4] = [
    (
        "read",
        &[
            "Invalid read of size 4",
            "inside a block of size 72 free'd",
            "xfree",
            "Block was alloc'd at",
        ],
    ),
    (
        "write",
        &[
            "Invalid write of size 4",
            "inside a block of size 72 free'd",
            "xfree",
            "xcalloc",
        ],
    ),
    (
        "buffer",
        &[
            "Invalid read of size 1",
            "inside a block of size 112 free'd",
            "xfree",
            "mm_uapi_xcalloc_buff_at",
        ],
    ),
    (
        "past-the-end",
        &["Invalid write of size 4", "main (stale.c:22)"],
    ),
];

#[test]
fn a_fault_is_reported_and_nothing_else_is() {
    if !are_asked_for() || !VALGRIND.is_there() {
        return;
    }
    let program = Sources::of(&["stale.c"]).compile(Form::Memcheck);
    program.run(&["none"]).ends_well().reports(&[]);
    for (fault, patterns) in FAULTS {
        let ran = program.run(&[fault]);
        assert!(!ran.status.success(), "{ran:#?}");
        for pattern in patterns {
            assert!(ran.report.contains(pattern), "{pattern}: {ran:#?}");
        }
    }
}
