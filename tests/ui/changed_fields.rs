//! Types that have other fields than the derive read when it stood above an attribute macro.

#![forbid(unsafe_code)]

use mm::MmManaged;
use mm_test_rewrite::{becomes, each_time};

#[derive(MmManaged)]
#[becomes(struct Other { number: &'static u64 })]
struct Other {
    number: u64,
}

#[derive(MmManaged)]
#[becomes(struct Further { number: u64, text: &'static str })]
struct Further {
    number: u64,
}

#[derive(MmManaged)]
#[becomes(struct Full(&'static str);)]
struct Full;

#[derive(MmManaged)]
#[mm(instances(Generic<u8>))]
#[becomes(struct Generic<T>(T, &'static str);)]
struct Generic<T>(T);

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Variant { First(u8, &'static str), Second })]
#[repr(u8)]
enum Variant {
    First(u8),
    Second,
}

#[derive(MmManaged)]
#[becomes(struct Struct { number: u64, text: &'static str })]
union Struct {
    number: u64,
    bytes: [u8; 8],
}

#[derive(MmManaged)]
#[becomes(#[repr(u8)] enum Enum { First = 1 })]
struct Enum;

#[derive(MmManaged)]
struct EachTime {
    number: each_time!((&'static str) (u64) (&'static str)),
}

fn main() {}
