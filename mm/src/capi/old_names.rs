//! Symbols with the function names of the original library, for objects that were compiled against its
//! header.
//!
//! The symbols are weak: a program may have functions of these names, such as gnulib's `xcalloc`.
//! Stable Rust has no attribute for that, so they are written in assembly.
//!
//! The symbols are hidden, too, so only `libmm.a` has them. The loader ignores weakness. If `libmm.so`
//! had them, the loader would give mm's functions to libraries that define their own, such as GNU
//! readline, whose `xfree` and `xrealloc` take what its `xmalloc` made.

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
    ($($name:literal => $to:path;)*) => {$(
        global_asm!(
            concat!(".pushsection .text.", $name, ", \"ax\", %progbits"),
            concat!(".weak ", $name),
            concat!(".hidden ", $name),
            concat!(".type ", $name, ", %function"),
            concat!($name, ":"),
            jump!(),
            concat!(".size ", $name, ", . - ", $name),
            ".popsection",
            to = sym $to,
        );
    )*};
}

old_names! {
    "mm_init" => uapi::mm_uapi_init;
    // The mangled name in a C++ program that declares the function itself.
    "_Z7mm_initv" => uapi::mm_uapi_init;
    "mm_instantiate_new_page_family" => uapi::mm_uapi_instantiate_new_page_family;
    "xcalloc" => uapi::mm_uapi_xcalloc;
    "xcalloc_buff" => uapi::mm_uapi_xcalloc_buff;
    "xrealloc" => uapi::mm_uapi_xrealloc;
    "xfree" => uapi::mm_uapi_xfree;
    "lookup_page_family_by_name" => uapi::mm_uapi_lookup_page_family_by_name;
    "mm_print_registered_page_families" => uapi::mm_uapi_print_registered_page_families;
    "mm_print_memory_usage" => uapi::mm_uapi_print_memory_usage;
    "mm_print_block_usage" => uapi::mm_uapi_print_block_usage;
    "mm_print_variable_buffers" => uapi::mm_uapi_print_variable_buffers;
}
