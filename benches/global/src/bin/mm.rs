//! The rows with mm as the global allocator.

#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

fn main() {
    mm_global_benches::measure();
}
