//! A thousand types: each has a family, and a word in each thread.

use mm::{MmBox, MmManaged};

/// Says the same ten times.
macro_rules! ten {
    ($($said:tt)*) => {
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
        $($said)*
    };
}

/// Makes a type, and uses it.
macro_rules! one {
    ($count:ident) => {
        #[derive(MmManaged)]
        struct Many(usize);

        let many = MmBox::new(Many($count));
        assert_eq!(many.0, $count);
        $count += 1;
    };
}

/// Makes a value of each, and releases it.
pub(super) fn run() {
    let mut count = 0;
    ten! { ten! { ten! { { one!(count); } } } }
    assert_eq!(count, super::MANY);
}
