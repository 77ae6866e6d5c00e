//! One word of the calling thread's, reached in two instructions.
//!
//! A library that may be loaded at any time reaches a `thread_local!` by a call, and even in a program
//! it is linked into, where the linker leaves the call out, the code around it is written for one. Stable
//! Rust cannot ask for another model, so the assembler makes the word and the access to it.
//!
//! Source: Drepper, "ELF Handling For Thread-Local Storage", the initial exec model. A library that is
//! loaded late finds its room in what the C library keeps free for such words.

use core::arch::{asm, global_asm};

global_asm!(
    ".pushsection .tbss, \"awT\", @nobits",
    ".balign 8",
    ".globl mm_capi_own_word",
    ".hidden mm_capi_own_word",
    ".type mm_capi_own_word, @object",
    ".size mm_capi_own_word, 8",
    "mm_capi_own_word:",
    ".zero 8",
    ".popsection",
);

/// What the calling thread put there last; null at first.
#[inline]
pub(crate) fn get() -> *const () {
    let word: *const ();
    // SAFETY: the word is there as long as the thread is, and nobody else touches it.
    unsafe {
        asm!(
            "mov {word}, qword ptr [rip + mm_capi_own_word@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{word}]",
            word = out(reg) word,
            options(readonly, nostack, preserves_flags),
        );
    }
    word
}

/// Puts `word` there.
pub(crate) fn set(word: *const ()) {
    // SAFETY: as above.
    unsafe {
        asm!(
            "mov {place}, qword ptr [rip + mm_capi_own_word@GOTTPOFF]",
            "mov qword ptr fs:[{place}], {word}",
            place = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}
