//! The operating system: everything that mm asks of the kernel, the C library and the loader.
//!
//! Address space and memory:
//!
//! | file | job |
//! | --- | --- |
//! | `page_source.rs` | what mm needs of a system that provides memory |
//! | `mmap.rs` | Linux: calls for memory, moves of memory, and checks of the kernel's answers |
//! | `portable.rs` | other systems: the same on `std::alloc` |
//! | `faulty.rs` | in tests: refuses the nth call |
//! | `mapping.rs` | an owned reservation of address space |
//! | `arena.rs` | cuts a reservation into runs |
//! | `address_space.rs` | opens arenas as they are needed |
//! | `address_table.rs` | finds a run's record by address |
//! | `huge.rs` | whether the system uses huge OS pages by default |
//! | `pagemap.rs` | which OS pages have memory of their own: Linux 6.7 |
//!
//! The process:
//!
//! | file | job |
//! | --- | --- |
//! | `process/` | figures and limits of the process, handlers, copies of its memory, standard error |
//! | `environment/` | the variables that the process was started with |
//! | `forks.rs` | the number of forks between the first process of the program and this one |
//! | `library.rs` | keeps a shared library loaded |
//! | `loader.rs` | the program and its libraries |
//!
//! Threads:
//!
//! | file | job |
//! | --- | --- |
//! | `lock.rs` | a mutex that can be held across a fork |
//! | `tsan.rs` | std's locks in a form that ThreadSanitizer can follow |
//! | `membarrier.rs` | a fence on every CPU that runs a thread of the process |
//! | `section.rs` | in debug builds: checks that nothing slow happens inside a section of the biased lock |
//! | `reentrancy.rs` | in debug builds: detects signal handlers that interrupt mm and call it |
//! | `tls_slot.rs` | one word of the calling thread, for the hot paths of C's families |
//! | `tls_slot_portable.rs` | without C's families, and on other systems: the same in a `thread_local!` |
//!
//! The rest:
//!
//! | file | job |
//! | --- | --- |
//! | `clock.rs` | the time |
//! | `output.rs` | writes text without an allocation |
//! | `stdio.rs` | prints as C programs do |
//! | `unwind.rs` | return addresses of the calling thread |
//! | `annotate/` | tells valgrind and AddressSanitizer which memory is in use |

pub(crate) mod address_space;
mod address_table;
pub(crate) mod annotate;
pub(crate) mod arena;
pub(crate) mod clock;
pub(crate) mod environment;
#[cfg(test)]
pub(crate) mod faulty;
pub(crate) mod forks;
pub(crate) mod huge;
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static"),
    not(miri)
))]
mod library;
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static"),
    not(miri)
)))]
mod library {
    /// Does nothing. A static program has no libraries, and musl never unloads one.
    pub(crate) fn stay_loaded() {}
}
#[cfg(all(
    feature = "sampling",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(mm_portable),
    not(all(test, loom))
))]
pub(crate) mod loader;
mod lock;
mod mapping;
pub(crate) mod membarrier;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod mmap;
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
)))]
#[path = "portable.rs"]
mod mmap;
mod output;
mod page_source;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
mod pagemap;
pub(crate) mod process;
mod reentrancy;
pub(crate) mod section;
#[cfg(feature = "capi")]
pub(crate) mod stdio;
#[cfg(all(
    feature = "capi",
    target_os = "linux",
    target_arch = "x86_64",
    not(all(test, loom))
))]
pub(crate) mod tls_slot;
#[cfg(not(all(
    feature = "capi",
    target_os = "linux",
    target_arch = "x86_64",
    not(all(test, loom))
)))]
#[path = "tls_slot_portable.rs"]
pub(crate) mod tls_slot;
#[cfg(mm_tsan)]
mod tsan;
pub(crate) mod unwind;

pub(crate) use library::stay_loaded;
pub(crate) use lock::{Lock, MutexGuard};
pub(crate) use mapping::{Mapping, reserve_some};
#[cfg(all(
    test,
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(mm_portable)
))]
pub(crate) use mmap::lies;
pub(crate) use output::write_text;
use page_source::RESIDENT_PAGES;
pub(crate) use page_source::{Guard, PageSource, Refused, Unmoved};
pub(crate) use reentrancy::ReentrancyGuard;

/// The source of mm's memory.
#[cfg(not(test))]
pub(crate) type System = mmap::Kernel;
/// The source of mm's memory, which can be made to refuse.
#[cfg(test)]
pub(crate) type System = faulty::Faulty<mmap::Kernel>;

/// The state of one walk over memory.
pub(crate) type Look = <System as PageSource>::Look;
