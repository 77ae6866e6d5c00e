//! The programs with mm as the global allocator.

#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

fn main() {
    mm_program_benches::run_one();
}
