//! The rows with snmalloc as the global allocator.

#[global_allocator]
static HEAP: snmalloc_rs::SnMalloc = snmalloc_rs::SnMalloc;

fn main() {
    mm_global_benches::measure();
}
