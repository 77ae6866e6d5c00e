//! Atomics and locks: from the standard library, or in models (see `models`) from `loom`.
//!
//! This is the only module that uses both. All lock-free steps, and the locks of families, are built from
//! these types. Three kinds of state use `core` directly:
//!
//! - State that only the holder of a family's lock touches.
//! - The address space and the memory for records. Their locks are held for a few lines that call nothing in
//!   the engine, and an entry of the table is stored once.
//! - Words that are set once and do not publish other memory, such as options and results of system calls.

#[cfg(all(test, loom))]
pub(crate) mod models;

#[cfg(not(all(test, loom)))]
pub(crate) use core::hint::spin_loop;
#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, fence,
};
#[cfg(not(all(test, loom)))]
pub(crate) use std::process::abort;
#[cfg(not(any(mm_tsan, all(test, loom))))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(crate) use std::thread::yield_now;
#[cfg(not(all(test, loom)))]
pub(crate) use std::thread_local;

#[cfg(all(test, loom))]
pub(crate) use models::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Mutex,
    MutexGuard, abort, fence, spin_loop, thread_local, yield_now,
};

/// Whether this is a build for models. There some bounds are lower, so that a few steps reach them.
pub(crate) const MODELLED: bool = cfg!(all(test, loom));
