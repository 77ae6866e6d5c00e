//! The original's own names, for objects that were compiled against its header.
//!
//! They are weak: a program may have functions of these names, such as gnulib's `xcalloc`. Stable Rust
//! has no word for that, so the assembler makes them.
//!
//! What rustc does not know it does not export from a shared library: it hands the linker a list of
//! names, and all others become local. The list may have patterns, so beside each name there is a
//! function whose own name is a pattern that matches the weak one, and nothing else.
//!
//! Source: the manual of `ld`, "VERSION Command".

use core::arch::global_asm;

use super::uapi;

#[cfg(target_arch = "x86_64")]
macro_rules! jump {
    () => {
        "jmp {to}"
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    () => {
        "b {to}"
    };
}

macro_rules! old_names {
    ($($name:literal, $pattern:literal => $to:path;)*) => {$(
        global_asm!(
            concat!(".pushsection .text.", $name, ", \"ax\", %progbits"),
            concat!(".weak ", $name),
            concat!(".type ", $name, ", %function"),
            concat!($name, ":"),
            jump!(),
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
            to = sym $to,
        );
        const _: () = {
            #[unsafe(export_name = $pattern)]
            extern "C" fn pattern() {}
        };
    )*};
}

old_names! {
    "mm_init", "mm_ini[t]" => uapi::mm_uapi_init;
    // What C++ calls it in a program that declares it itself.
    "_Z7mm_initv", "_Z7mm_init[v]" => uapi::mm_uapi_init;
    "mm_instantiate_new_page_family", "mm_instantiate_new_page_famil[y]"
        => uapi::mm_uapi_instantiate_new_page_family;
    "xcalloc", "xcallo[c]" => uapi::mm_uapi_xcalloc;
    "xcalloc_buff", "xcalloc_buf[f]" => uapi::mm_uapi_xcalloc_buff;
    "xrealloc", "xreallo[c]" => uapi::mm_uapi_xrealloc;
    "xfree", "xfre[e]" => uapi::mm_uapi_xfree;
    "lookup_page_family_by_name", "lookup_page_family_by_nam[e]"
        => uapi::mm_uapi_lookup_page_family_by_name;
    "mm_print_registered_page_families", "mm_print_registered_page_familie[s]"
        => uapi::mm_uapi_print_registered_page_families;
    "mm_print_memory_usage", "mm_print_memory_usag[e]" => uapi::mm_uapi_print_memory_usage;
    "mm_print_block_usage", "mm_print_block_usag[e]" => uapi::mm_uapi_print_block_usage;
    "mm_print_variable_buffers", "mm_print_variable_buffer[s]"
        => uapi::mm_uapi_print_variable_buffers;
}
