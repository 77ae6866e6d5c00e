//! What must not compile, and what rustc then says.
//!
//! The messages are those of the toolchain that the project is developed with; another one may
//! word its share of them differently. `TRYBUILD=overwrite` writes them anew.

#[test]
#[cfg_attr(miri, ignore = "starts cargo")]
fn mistakes_are_named_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/*.rs");
    cases.compile_fail("ui/handle/*.rs");
    cases.compile_fail("ui/no_leaks/*.rs");
}
