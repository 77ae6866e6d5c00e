//! Attribute macros put a type where the derive's was that nobody could tell from others.

#![forbid(unsafe_code)]

use mm::MmManaged;
use mm_test_rewrite::becomes;

struct Other<T>(T);

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type InBox = Box<Other<u8>>;)]
struct InBox;

trait Of {
    type Type;
}

impl Of for u8 {
    type Type = Other<u16>;
}

#[derive(MmManaged)]
#[mm(zeroable)]
#[becomes(type Associated = <u8 as Of>::Type;)]
struct Associated;

fn main() {}
