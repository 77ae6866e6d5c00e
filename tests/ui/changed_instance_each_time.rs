//! Macros in `instances` that write another instance each time: the one that is zeroable must be the one
//! of which rustc found that it is.

#![forbid(unsafe_code)]

use mm::MmManaged;
use mm_test_rewrite::{Zero4Times, becomes, number_each_time};

#[derive(MmManaged)]
#[becomes(enum Reference<const N: usize> { First([u8; N]), Second(&'static u64, bool, [u8; 7]), Third })]
#[mm(instances(Reference<{ #[number_each_time(0 0 0 0 99)] const X: usize = 0; X }>))]
#[repr(u8)]
enum Reference<const N: usize> {
    First([u8; N]),
    Second(&'static u64, bool, [u8; 7]),
    Third,
}

#[derive(MmManaged)]
#[becomes(enum Number<const N: usize> { First([u8; N]), Second(std::num::NonZeroU8, bool), Third })]
#[mm(instances(Number<{ #[derive(Zero4Times)] struct Y; X }>))]
#[repr(u8)]
enum Number<const N: usize> {
    First([u8; N]),
    Second(std::num::NonZeroU8, bool),
    Third,
}

fn main() {
    let _ = Reference::<0>::xcalloc(1);
    let _ = Number::<0>::xcalloc(1);
}
