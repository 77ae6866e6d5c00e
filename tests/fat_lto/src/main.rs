//! Prints the names of the page families in it, one a line, and uses none of them.

use mm::MmManaged;
use mm_test_lib_only as _;

#[derive(MmManaged)]
struct OfTheProgram {
    _content: u64,
}

mod inner {
    #[derive(mm::MmManaged)]
    #[mm(instances(OfAModule<u8>))]
    pub(crate) struct OfAModule<T> {
        _content: T,
    }
}

fn main() {
    for family in mm::families() {
        println!("{}", family.name());
    }
}
