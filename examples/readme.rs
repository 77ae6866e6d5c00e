//! The first code of the README. A test compares it with this file.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Emp {
    name: [u8; 32],
    emp_id: u32,
}

fn main() {
    let (name, emp_id) = ([b'-'; 32], 7);
    let one: MmBox<Emp> = MmBox::new(Emp { name, emp_id });
    let three: MmBox<[Emp]> = Emp::xcalloc(3);
    mm::print_memory_usage("Emp");
    assert_eq!((one.emp_id, three[2].name), (7, [0; 32]));
}
