//! A block is `T` or `[T]`, nothing else.

fn keep(_: &mm::MmBox<str>) {}

fn main() {
    let _ = keep;
}
