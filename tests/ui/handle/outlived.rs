//! An owner uses its value when it is dropped, so what the value borrows must live longer.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Name<'a>(&'a String);

fn main() {
    let name;
    let text = String::new();
    name = MmBox::new(Name(&text));
    let _ = &name;
}
