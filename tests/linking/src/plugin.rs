//! The probe as a library with an mm of its own: a plugin, or a part of a C program.

mod probe;

/// Runs the probe, which aborts where something is wrong; returns the number of families.
#[unsafe(no_mangle)]
pub extern "C" fn mm_test_linking() -> usize {
    probe::run()
}
