//! What the derive saw would be zeroable; what the type is, is not.

use mm::MmManaged;

#[derive(MmManaged)]
#[mm_test_rewrite::rewrite]
struct Emp {
    name: u64,
    emp_id: u32,
}

fn main() {}
