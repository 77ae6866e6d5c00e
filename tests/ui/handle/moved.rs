//! A block has one owner, and released is released.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Emp(u32);

fn main() {
    let emp = MmBox::new(Emp(1));
    Emp::xfree(emp);
    let _ = emp.0;
}
