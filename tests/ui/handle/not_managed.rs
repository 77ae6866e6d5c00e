//! A type without the derive has no page family.

fn main() {
    let _ = mm::MmBox::new(5_u32);
}
