//! One thread-local word, reached in few instructions.
//!
//! A library that may be loaded at any time reaches a `thread_local!` by a call, and even in a program
//! it is linked into, where the linker leaves the call out, the code around it is written for one. Stable
//! Rust cannot ask for another model, so the assembler makes the word and the access to it.
//!
//! # Two models
//!
//! By *descriptor*: a call that keeps all registers but one. In a program the linker replaces it by the
//! word's place, three instructions with the access. A plugin's word is where its other thread-locals
//! are, and there may be any number of those.
//!
//! *Initial exec*, with `--cfg mm_initial_exec`: two instructions, in a library as well. The loader then
//! has to place all thread-locals of the library where threads that run already have them, for which the
//! C library keeps some 1.6 KB free; each type of Rust has a word there. So it is for `libmm.so` itself,
//! which has no types, and not for a plugin in Rust.
//!
//! Source: Drepper, "ELF Handling For Thread-Local Storage"; Oliva and de Araujo, "Speeding Up
//! Thread-Local Storage Access in Dynamic Libraries", for descriptors.

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

/// The word that the calling thread stored last; null at first.
#[inline]
pub(crate) fn get() -> *const () {
    let place = place();
    let word: *const ();
    // SAFETY: `place` is that of the thread's word, which is there as long as the thread is, and which only
    // this thread touches.
    unsafe {
        asm!(
            "mov {word}, qword ptr fs:[{place}]",
            place = in(reg) place,
            word = lateout(reg) word,
            options(readonly, nostack, preserves_flags),
        );
    }
    word
}

/// Puts `word` there.
pub(crate) fn set(word: *const ()) {
    let place = place();
    // SAFETY: `place` is that of the thread's word, which is there as long as the thread is, and which only
    // this thread touches.
    unsafe {
        asm!(
            "mov qword ptr fs:[{place}], {word}",
            place = in(reg) place,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}

/// Where the word is, from what `fs` is of the calling thread.
#[cfg(mm_initial_exec)]
#[inline]
fn place() -> usize {
    let place;
    // SAFETY: `mov` reads the word's offset, which the loader put into the table and does not change.
    unsafe {
        asm!(
            "mov {place}, qword ptr [rip + mm_capi_own_word@GOTTPOFF]",
            place = lateout(reg) place,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    place
}

/// Where the word is, from what `fs` is of the calling thread.
#[cfg(not(mm_initial_exec))]
#[inline]
fn place() -> usize {
    let place;
    // SAFETY: the function of a `TLSDESC` keeps all registers but `rax` and the flags. The first call of a
    // thread in a plugin may get memory by code of C, which up to glibc 2.39 keeps no vector, so that those
    // are `out`.
    unsafe {
        asm!(
            "lea rax, [rip + mm_capi_own_word@TLSDESC]",
            "call qword ptr [rax + mm_capi_own_word@TLSCALL]",
            lateout("rax") place,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
    place
}
