//! Limits and soft limits of one family.

use core::ffi::c_void;

use super::family::{family_at, handle, mm_family};
use super::last_error::{Answer, refuse, status};
use super::refused::Refused;
use super::status::mm_status;
use crate::family::PageFamily;
use crate::limit::Limit;

/// A function that mm calls when a family exceeds its soft limit. `context` is the pointer that was
/// passed with it.
pub type mm_soft_limit_call =
    Option<unsafe extern "C" fn(family: *mut mm_family, context: *mut c_void)>;

/// Limits the live units of a family to as many as fit into `bytes` bytes. An allocation that would
/// exceed the limit fails with `MM_OVER_LIMIT`. Blocks that are live already stay live, even if they
/// exceed it.
///
/// While a family has a limit, each of its allocations and releases takes a lock.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_limit_bytes(
    family: *mut mm_family,
    bytes: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(Limit::bytes(bytes));
    })
}

/// Limits the live units of a family to `units`. In all other respects it acts as
/// `mm_family_set_limit_bytes`.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_limit_units(
    family: *mut mm_family,
    units: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(Limit::units(units));
    })
}

/// Removes the limit of a family. Limit groups and soft limits stay.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_clear_limit(family: *mut mm_family) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(None);
    })
}

/// Returns the limit of a family in units; `UINT64_MAX` if it has none, and 0 if `family` is `NULL`.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_limit_units(family: *const mm_family) -> u64 {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.limit_units().unwrap_or(u64::MAX))
}

/// Sets a soft limit: mm calls `call` each time the live units of a family rise above `bytes` bytes.
/// The thread whose allocation crosses the limit makes the call before that allocation returns.
///
/// `call` may use mm and must return. It replaces the soft limit before. Another thread may still be
/// running the function of that one, so whatever its `context` points to has to stay.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_soft_limit_bytes(
    family: *mut mm_family,
    bytes: u64,
    call: mm_soft_limit_call,
    context: *mut c_void,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    // SAFETY: requirement 2 is that of `set_soft_limit`.
    status(unsafe { set_soft_limit(family, Limit::bytes(bytes), call, context) })
}

/// Does what `mm_family_set_soft_limit_bytes` does, for a limit of `units` units.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_soft_limit_units(
    family: *mut mm_family,
    units: u64,
    call: mm_soft_limit_call,
    context: *mut c_void,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    // SAFETY: requirement 2 is that of `set_soft_limit`.
    status(unsafe { set_soft_limit(family, Limit::units(units), call, context) })
}

/// Removes the soft limit of a family.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_clear_soft_limit(family: *mut mm_family) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    done(unsafe { family_at(family) }, PageFamily::clear_soft_limit)
}

/// A C function and the pointer that it is called with.
///
/// # Invariants
///
/// 1. Any thread may call `call` with `context`, at any time.
struct Callback {
    call: unsafe extern "C" fn(*mut mm_family, *mut c_void),
    context: *mut c_void,
}

// SAFETY: by invariant 1 of `Callback` any thread may call the function with its pointer.
unsafe impl Send for Callback {}
// SAFETY: by invariant 1 of `Callback` several threads may call the function at the same time.
unsafe impl Sync for Callback {}

impl Callback {
    fn notify(&self, family: &'static PageFamily) {
        // SAFETY: by invariant 1 any thread may make the `call` with its `context` at any time.
        unsafe { (self.call)(handle(family), self.context) };
    }
}

/// # Safety
///
/// 1. `call` is null or a function that any thread may call with `context`, at any time from now on.
unsafe fn set_soft_limit(
    family: Answer<&'static PageFamily>,
    limit: Limit,
    call: mm_soft_limit_call,
    context: *mut c_void,
) -> Answer<()> {
    let family = family?;
    let call = call.ok_or_else(|| refuse(Refused::Argument("the call is NULL")))?;
    // Requirement 1 upholds invariant 1.
    let callback = Callback { call, context };
    family.set_soft_limit(limit, move |family| callback.notify(family));
    Ok(())
}

fn done(family: Answer<&'static PageFamily>, work: impl FnOnce(&'static PageFamily)) -> mm_status {
    status(family.map(work))
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;

    use super::super::allocate::mm_family_alloc;
    use super::*;

    /// Rust code of the same program may set a soft limit on a family that C code uses.
    #[test]
    fn a_panic_of_rust_does_not_reach_c() {
        let family = PageFamily::register("capi:soft", Layout::new::<u64>()).expect("a new name");
        family.set_soft_limit(Limit::units(0), |_| panic!("cannot unwind"));
        // SAFETY: `handle` made the handle of the family.
        let block = unsafe { mm_family_alloc(handle(family), 1) };
        let block = core::ptr::NonNull::new(block).expect("handed out");
        assert_eq!(family.live_units(), 1);
        // SAFETY: `mm_family_alloc` gave the block, and the test neither uses it any more nor releases
        // it elsewhere.
        unsafe { family.release(block.cast()) }.expect("it is live");
    }
}
