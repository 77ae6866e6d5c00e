//! Constants and types with names that the output could have used itself.

use mm::MmManaged;

const FAMILY: usize = 3;
const CACHE: usize = 2;

#[derive(MmManaged)]
#[mm(instances(R<FAMILY>, R<{ CACHE }>))]
struct R<const F: usize> {
    f: [u8; F],
}

#[derive(MmManaged)]
struct T {
    bytes: [u8; FAMILY],
}

pub(crate) fn main() {
    assert_eq!(R::<3>::xcalloc(1)[0].f, [0; 3]);
    assert_eq!(R::<2>::xcalloc(1)[0].f, [0; 2]);
    assert_eq!(T::xcalloc(1)[0].bytes, [0; 3]);
}
