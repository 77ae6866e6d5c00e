//! A macro in a condition writes another one for each implementation: then nothing would keep a second
//! derive away.

#![forbid(unsafe_code)]

use mm::MmManaged;
use mm_test_rewrite::number_each_time;

struct Number<const N: usize>;

trait For<'a> {}

impl<'a> For<'a> for Number<1> {}

#[derive(MmManaged)]
struct Text<'a>(&'a str)
where
    Number<{ #[number_each_time(0 1 1 1 1)] const X: usize = 1; X }>: For<'a>;

fn main() {}
