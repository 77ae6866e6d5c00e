//! What threads share: from the standard library, or in models (see `models`) from `loom`.
//!
//! The only place that knows of both. All steps that threads take without a lock, and the locks of
//! families, are made of what is here. What only the holder of a family's lock touches comes from
//! `core` as it is, as do the address space and the memory for records: their locks are held for a
//! few lines that call nothing of the engine, and an entry of the address space's table is stored
//! once. So do words that are set once and say nothing of other memory: options, and what was asked
//! of the system.

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

/// Whether this is a build for models, in which some bounds are so low that a few steps reach them.
pub(crate) const MODELLED: bool = cfg!(all(test, loom));
