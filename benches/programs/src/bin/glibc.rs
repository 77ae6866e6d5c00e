//! The programs with glibc as the global allocator.

#[global_allocator]
static HEAP: std::alloc::System = std::alloc::System;

fn main() {
    mm_program_benches::run_one();
}
