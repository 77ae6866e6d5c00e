//! Nobody adds a kind of block.

#[derive(mm::MmManaged)]
struct Emp(u32);

trait Odd {}

impl mm::Block for dyn Odd {
    type Unit = Emp;
}

fn main() {}
