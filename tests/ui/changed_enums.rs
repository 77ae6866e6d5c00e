//! Enums that are not what the derive read when it stood above an attribute macro: zero bytes are
//! another variant, or none.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use mm::MmManaged;
use mm_test_rewrite::becomes;

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Renumbered { First = 1, Second })]
#[repr(u8)]
enum Renumbered {
    First,
    Second,
}

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Longer { New(&'static str), First, Second })]
#[repr(u8)]
enum Longer {
    First,
    Second,
}

#[derive(MmManaged)]
#[becomes(enum WithoutRepr { Empty, Full(bool) })]
#[repr(u8)]
enum WithoutRepr {
    Empty,
    Full(bool),
}

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Alone { Only(u32) = 1 })]
#[repr(u8)]
enum Alone {
    Only(u32),
}

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Never { First(u32) = 1, Second(Infallible) = 0 })]
#[repr(u8)]
enum Never {
    First(u32),
    Second(Infallible),
}

#[derive(MmManaged)]
#[becomes(#[repr(C)] enum Large { Second(&'static str), First([u64; 1 << 27]) })]
#[repr(C)]
enum Large {
    First([u64; 1 << 27]),
    Second(&'static str),
}

#[derive(MmManaged)]
#[mm(instances(Generic<u8>))]
#[becomes(#[repr(u8)] enum Generic<T> { First = 1, Second(T) = 0 })]
#[repr(u8)]
enum Generic<T> {
    First,
    Second(T),
}

fn main() {}
