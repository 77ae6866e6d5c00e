//! The probe as a program, and as a test of it.

mod probe;

fn main() {
    println!("{}", probe::run());
}

#[test]
fn all_families_are_listed_under_the_test_harness() {
    println!("{}", probe::run());
}
