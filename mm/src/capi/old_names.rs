//! The function names of the original library, for objects that were compiled against its header.
//!
//! They are weak: a program may have functions of these names, such as gnulib's `xcalloc`. Stable Rust
//! has no word for that, so the assembler makes them.
//!
//! They are hidden, too, and so in `libmm.a` alone: the loader knows no weak names, and would hand those
//! of a program to each library in it that has its own. GNU readline has an `xfree` and an `xrealloc`
//! for what its `xmalloc` made.

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
    // What C++ calls it in a program that declares it itself.
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
