//! An attribute that the derive does not know may change the enum, and only instances with a family
//! are checked.

#![forbid(unsafe_code)]

use mm::MmManaged;
use mm_test_rewrite::becomes;

#[derive(MmManaged)]
#[mm(instances(Generic<u8>))]
#[becomes(enum Generic<T> { First, Second(T) })]
#[repr(u8)]
enum Generic<T> {
    First,
    Second(T),
}

fn main() {
    let _ = Generic::<u8>::xcalloc(1);
    let _: Generic<&str> = bytemuck::Zeroable::zeroed();
}
