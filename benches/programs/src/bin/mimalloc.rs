//! The programs with mimalloc as the global allocator.

#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    mm_program_benches::run_one();
}
