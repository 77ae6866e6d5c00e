//! The rows with jemalloc as the global allocator.

#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    mm_global_benches::measure();
}
