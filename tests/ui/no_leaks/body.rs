#[mm::no_leaks]
fn too_much() {
    7
}

#[mm::no_leaks]
fn too_little() -> u32 {}

#[mm::no_leaks]
fn other() -> Result<u32, std::num::ParseIntError> {
    let number: u32 = std::fs::read_to_string("number")?.parse()?;
    Ok(number)
}

#[mm::no_leaks(scope)]
fn unused() {}

#[mm::no_leaks]
fn no_scope() {
    drop(scope);
}

fn main() {
    too_much();
    too_little();
    other();
    unused();
    no_scope();
}
