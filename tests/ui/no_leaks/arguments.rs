#[mm::no_leaks(scope, other)]
fn two_names() {}

#[mm::no_leaks(scope = 7)]
fn name_with_value() {}

#[mm::no_leaks(fn)]
fn no_name() {}

#[mm::no_leaks(a::b)]
fn path() {}

#[mm::no_leaks("scope")]
fn text() {}

#[mm::no_leaks(crate = "7")]
fn no_path() {}

#[mm::no_leaks(crate = mm, crate = mm)]
fn two_paths() {}

#[mm::no_leaks(untyped, untyped)]
fn untyped_twice() {}

fn main() {
    two_names();
    name_with_value();
    no_name();
    path();
    text();
    no_path();
    two_paths();
    untyped_twice();
}
