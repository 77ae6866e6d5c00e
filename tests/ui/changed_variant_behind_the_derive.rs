//! What the derive saw would be zeroable; what the type is, is not.

use mm::MmManaged;

#[derive(MmManaged)]
#[repr(u8)]
#[mm_test_rewrite::rewrite]
enum Emp {
    Known(u32, u64),
    Unknown,
}

fn main() {}
