//! A macro that writes another type each time: the family would have another layout than the type.

#![forbid(unsafe_code)]

use mm::{MmBox, MmManaged};
use mm_test_rewrite::each_time;

#[derive(MmManaged)]
#[mm(instances(Node<each_time!((u8) (u8) (u64) (u64))>))]
struct Node<T>(T);

fn main() {
    drop(MmBox::new(Node(7_u64)));
}
