//! A shorter borrow does not serve for a longer one.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Name<'a>(&'a str);

fn lengthen<'a>(short: MmBox<Name<'a>>) -> MmBox<Name<'static>> {
    short
}

fn main() {
    let _ = lengthen;
}
