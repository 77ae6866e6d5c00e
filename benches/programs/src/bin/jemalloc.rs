//! The programs with jemalloc as the global allocator.

#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    mm_program_benches::run_one();
}
