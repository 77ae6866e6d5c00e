//! What memcheck is told: client requests.
//!
//! Source: the valgrind manual, "The Client Request mechanism" and "Memcheck: Client Requests", and
//! the headers `valgrind.h` and `memcheck.h`, which programs may rely on. A request is a sequence
//! of instructions that does nothing on a CPU and that valgrind knows. The crates that wrap it
//! compile C, and need valgrind's headers or libclang on every machine that builds; this is one
//! sequence for each of two kinds of CPU.

//!
//! All blocks are of one *memory pool*. Blocks of the other kind, `MALLOCLIKE_BLOCK`, are taken to
//! have red zones of 16 bytes around them, as those of malloc have. Of units side by side memcheck
//! would then describe the live one beside the address instead of the released one there.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Of `Vg_ClientRequest`.
const CREATE_MEMPOOL: usize = 0x1303;
const MEMPOOL_ALLOC: usize = 0x1305;
const MEMPOOL_FREE: usize = 0x1306;

/// Of `Vg_MemCheckClientRequest`: those of the tool with the letters M and C.
const MAKE_MEM_NOACCESS: usize = 0x4d43_0000;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

/// The pool, whose address is its name; whether memcheck runs the program, and knows it.
static POOL: AtomicBool = AtomicBool::new(false);

/// Looks whether memcheck is there, and makes the pool, unless that was done. Before the first block.
pub(super) fn begin() {
    // Other tools than memcheck do not know the request, and answer as a CPU does.
    let is_memcheck = request(MAKE_MEM_DEFINED, [pool(), 1, 0]) > 0;
    if is_memcheck && !POOL.swap(true, Relaxed) {
        // Without red zones, and what it hands out is not zero.
        request(CREATE_MEMPOOL, [pool(), 0, 0]);
    }
}

/// Whether memcheck runs the program. A load and a test are all that others pay.
#[inline]
pub(super) fn is_there() -> bool {
    POOL.load(Relaxed)
}

pub(super) fn forbid(first: NonNull<u8>, bytes: usize) {
    request(MAKE_MEM_NOACCESS, [address_of(first), bytes, 0]);
}

pub(super) fn allow(first: NonNull<u8>, bytes: usize) {
    request(MAKE_MEM_DEFINED, [address_of(first), bytes, 0]);
}

#[cold]
pub(super) fn hand_out(first: NonNull<u8>, bytes: usize, zero: bool) {
    if bytes == 0 {
        return;
    }
    request(MEMPOOL_ALLOC, [pool(), address_of(first), bytes]);
    if zero {
        allow(first, bytes);
    }
}

#[cold]
pub(super) fn take_back(first: NonNull<u8>, bytes: usize) {
    if bytes > 0 {
        request(MEMPOOL_FREE, [pool(), address_of(first), 0]);
    }
}

fn pool() -> usize {
    (&raw const POOL).expose_provenance()
}

fn address_of(first: NonNull<u8>) -> usize {
    first.as_ptr().expose_provenance()
}

/// Makes a request, which has up to three arguments; its answer, 0 on a CPU.
fn request(code: usize, [first, second, third]: [usize; 3]) -> usize {
    send(&[code, first, second, third, 0, 0])
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn send(request: &[usize; 6]) -> usize {
    let answer;
    // SAFETY: on a CPU, `rdi` is rotated by 128 bits and `rbx` exchanged with itself. Valgrind reads
    // the six words, and changes no byte of the program.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request,
            inout("rdx") 0_usize => answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn send(request: &[usize; 6]) -> usize {
    let answer;
    // SAFETY: on a CPU, `x12` is rotated by 128 bits and `x10` becomes what it is. Valgrind reads
    // the six words, and changes no byte of the program.
    unsafe {
        core::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") request,
            inout("x3") 0_usize => answer,
            options(nostack),
        );
    }
    answer
}

/// Elsewhere valgrind does not run, or mm does not know its sequence.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
fn send(_: &[usize; 6]) -> usize {
    0
}
