//! Compiles the loops: the same C for each rival, by the system's compiler, and not across languages.

use std::env;

const RIVALS: [&str; 6] = ["mm", "glibc", "mimalloc", "jemalloc", "call", "nothing"];

fn main() {
    println!("cargo::rerun-if-changed=loops");
    println!("cargo::rerun-if-changed=../../mm/include");
    let has_c_rivals = env::var_os("CARGO_FEATURE_C_RIVALS").is_some();
    compile("empty", &mut c("call.c"));
    for rival in RIVALS {
        if has_c_rivals || !["mimalloc", "jemalloc"].contains(&rival) {
            let header = format!("\"{rival}.h\"");
            compile(rival, c("loops.c").define("RIVAL_HEADER", header.as_str()));
        }
    }
}

fn c(file: &str) -> cc::Build {
    let mut build = cc::Build::new();
    // What cargo asks for is for Rust; programs of C are built so.
    build
        .opt_level(2)
        .debug(true)
        .std("gnu11")
        .warnings_into_errors(true);
    // A compiler that knows what `calloc` does leaves pairs of it and `free` out.
    build.flag("-fno-builtin");
    build
        .include("loops")
        .include("../../mm/include")
        .file(format!("loops/{file}"));
    build
}

fn compile(name: &str, build: &mut cc::Build) {
    build.compile(&format!("mm_c_benches_{name}"));
}
