//! A box of the first family could become one of the second, and be released there.
#![allow(coherence_leak_check)]

use mm::MmManaged;

#[derive(MmManaged)]
#[mm(instances(Node<for<'a> fn(&'a u8)>, Node<fn(&'static u8)>))]
struct Node<T>(T);

fn main() {}
