//! More fields than rustc looks deep, all of different types.

use mm::MmManaged;

macro_rules! many {
    ($($name:ident)*) => {
        $(#[derive(MmManaged)] struct $name(u8);)*
        #[allow(non_snake_case)]
        #[derive(MmManaged)]
        struct Many { $($name: [$name; 2],)* }
    };
}

many! {
    T0x0 T0x1 T0x2 T0x3 T0x4 T0x5 T0x6 T0x7 T0x8 T0x9 T0x10 T0x11 T0x12 T0x13 T0x14 T0x15
    T1x0 T1x1 T1x2 T1x3 T1x4 T1x5 T1x6 T1x7 T1x8 T1x9 T1x10 T1x11 T1x12 T1x13 T1x14 T1x15
    T2x0 T2x1 T2x2 T2x3 T2x4 T2x5 T2x6 T2x7 T2x8 T2x9 T2x10 T2x11 T2x12 T2x13 T2x14 T2x15
    T3x0 T3x1 T3x2 T3x3 T3x4 T3x5 T3x6 T3x7 T3x8 T3x9 T3x10 T3x11 T3x12 T3x13 T3x14 T3x15
    T4x0 T4x1 T4x2 T4x3 T4x4 T4x5 T4x6 T4x7 T4x8 T4x9 T4x10 T4x11 T4x12 T4x13 T4x14 T4x15
    T5x0 T5x1 T5x2 T5x3 T5x4 T5x5 T5x6 T5x7 T5x8 T5x9 T5x10 T5x11 T5x12 T5x13 T5x14 T5x15
    T6x0 T6x1 T6x2 T6x3 T6x4 T6x5 T6x6 T6x7 T6x8 T6x9 T6x10 T6x11 T6x12 T6x13 T6x14 T6x15
    T7x0 T7x1 T7x2 T7x3 T7x4 T7x5 T7x6 T7x7 T7x8 T7x9 T7x10 T7x11 T7x12 T7x13 T7x14 T7x15
    T8x0 T8x1 T8x2 T8x3 T8x4 T8x5 T8x6 T8x7 T8x8 T8x9 T8x10 T8x11 T8x12 T8x13 T8x14 T8x15
    T9x0 T9x1 T9x2 T9x3 T9x4 T9x5 T9x6 T9x7 T9x8 T9x9 T9x10 T9x11 T9x12 T9x13 T9x14 T9x15
    T10x0 T10x1 T10x2 T10x3 T10x4 T10x5 T10x6 T10x7 T10x8 T10x9 T10x10 T10x11 T10x12 T10x13 T10x14 T10x15
    T11x0 T11x1 T11x2 T11x3 T11x4 T11x5 T11x6 T11x7 T11x8 T11x9 T11x10 T11x11 T11x12 T11x13 T11x14 T11x15
}

pub(crate) fn main() {
    assert_eq!(Many::xcalloc(1)[0].T0x0[1].0, 0);
}
