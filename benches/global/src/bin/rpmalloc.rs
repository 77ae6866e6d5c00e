//! The rows with rpmalloc as the global allocator.

#[global_allocator]
static HEAP: rpmalloc::RpMalloc = rpmalloc::RpMalloc;

fn main() {
    mm_global_benches::measure();
}
