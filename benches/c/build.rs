//! Compiles the loops: the same C code for each rival, by the system's compiler, without optimization across
//! languages.

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
    // cargo's optimization level is for Rust code. C programs are usually built with this one.
    build
        .opt_level(2)
        .debug(true)
        .std("gnu11")
        .warnings_into_errors(true);
    // A compiler that knows `calloc` and `free` removes pairs of them.
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
