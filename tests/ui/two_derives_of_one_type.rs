//! Attribute macros put one type where the derive read two: a box of the one could become one of the
//! other, and each family would know of itself alone.

#![forbid(unsafe_code)]
#![allow(coherence_leak_check)]

use mm::MmManaged;
use mm_test_rewrite::becomes;

struct Seen<T>(T);

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type SeenAny = Seen<for<'a> fn(&'a u8)>;)]
struct SeenAny;

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type SeenLong = Seen<fn(&'static u8)>;)]
struct SeenLong;

trait Of {
    type Call;
}

impl Of for u8 {
    type Call = for<'a> fn(&'a u8);
}

impl Of for u16 {
    type Call = fn(&'static u8);
}

struct Hidden<T>(T);

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type HiddenAny = Hidden<<u8 as Of>::Call>;)]
struct HiddenAny;

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type HiddenLong = Hidden<<u16 as Of>::Call>;)]
struct HiddenLong;

#[derive(MmManaged)]
#[mm(instances(Generic<u8>, Generic<u16>))]
struct Generic<T>(T);

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type OneMore = Generic<<u8 as Of>::Call>;)]
struct OneMore;

fn main() {}
