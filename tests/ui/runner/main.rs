//! What must not compile, and what rustc then says. What must compile stands in `pass`, and is a part
//! of this program.
//!
//! The messages are those of the toolchain that the project is developed with; another one may
//! word its share of them differently. `TRYBUILD=overwrite` writes them anew.
//!
//! trybuild first checks mm and what it depends on, twice, with flags of its own. That takes half a
//! minute on an idle machine, in which cargo says what it does.

#[path = "../pass/fields_differ_in_lifetimes.rs"]
mod fields_differ_in_lifetimes;
#[path = "../pass/macros_in_instances.rs"]
mod macros_in_instances;
#[allow(
    dead_code,
    reason = "that there are so many fields is all that is asked"
)]
#[path = "../pass/many_fields.rs"]
mod many_fields;
#[path = "../pass/names_like_the_output.rs"]
mod names_like_the_output;
#[path = "../../random.rs"]
#[allow(unreachable_pub, reason = "it is public where the other tests have it")]
mod random;
#[path = "../pass/recursive.rs"]
mod recursive;
mod shapes;

#[test]
#[cfg_attr(miri, ignore = "starts cargo")]
fn mistakes_are_named_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("*.rs");
    cases.compile_fail("handle/*.rs");
    cases.compile_fail("no_leaks/*.rs");
}

#[test]
fn what_compiles_runs() {
    fields_differ_in_lifetimes::main();
    macros_in_instances::main();
    many_fields::main();
    names_like_the_output::main();
    recursive::main();
}
