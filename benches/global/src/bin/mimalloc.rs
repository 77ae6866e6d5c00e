//! The rows with mimalloc as the global allocator.

#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    mm_global_benches::measure();
}
