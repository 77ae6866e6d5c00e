//! How much a family may hold.

use core::ffi::c_void;

use super::family::{family_at, handle, mm_family};
use super::last_error::{Answer, Refused, refuse, status};
use super::status::mm_status;
use crate::family::PageFamily;
use crate::limit::Limit;

/// Who wants to know that a family holds more than its soft limit, with the pointer that was given
/// along.
pub type mm_soft_limit_call =
    Option<unsafe extern "C" fn(family: *mut mm_family, context: *mut c_void)>;

/// Limits the live units of a family to as many as fit into `bytes` bytes. A call that would hold more
/// is refused with `MM_OVER_LIMIT`; what is live already stays so, even if it is more.
///
/// While a family has a limit, each of its calls takes a lock.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_limit_bytes(
    family: *mut mm_family,
    bytes: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(Limit::bytes(bytes));
    })
}

/// Limits the live units of a family to `units`; else as `mm_family_set_limit_bytes`.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_limit_units(
    family: *mut mm_family,
    units: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(Limit::units(units));
    })
}

/// Ends the limit of a family. Groups and soft limits stay.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_clear_limit(family: *mut mm_family) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    done(unsafe { family_at(family) }, |family| {
        family.set_limit(None);
    })
}

/// Returns how many units may be live of a family; `UINT64_MAX` if it has no limit.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_limit_units(family: *const mm_family) -> u64 {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.limit_units().unwrap_or(u64::MAX))
}

/// Has `call` called whenever what is live of a family rises above `bytes` bytes: once for each time
/// that it does, by the thread whose allocation does it, before that allocation returns.
///
/// The call may use mm, and must return. It takes the place of the soft limit before, whose call may
/// still be under way on another thread: what `context` leads to has to stay.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_soft_limit_bytes(
    family: *mut mm_family,
    bytes: u64,
    call: mm_soft_limit_call,
    context: *mut c_void,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    // SAFETY: requirement 2 is that of `set_soft_limit`.
    status(unsafe { set_soft_limit(family, Limit::bytes(bytes), call, context) })
}

/// The same for `units` live units.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_set_soft_limit_units(
    family: *mut mm_family,
    units: u64,
    call: mm_soft_limit_call,
    context: *mut c_void,
) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    // SAFETY: requirement 2 is that of `set_soft_limit`.
    status(unsafe { set_soft_limit(family, Limit::units(units), call, context) })
}

/// Ends the soft limit of a family.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_clear_soft_limit(family: *mut mm_family) -> mm_status {
    // SAFETY: by requirement 1 `family` is null or a family.
    done(unsafe { family_at(family) }, PageFamily::clear_soft_limit)
}

/// A function of C, and what it wants to be given.
///
/// # Invariants
///
/// 1. Any thread may call `call` with `context`, at any time.
struct Told {
    call: unsafe extern "C" fn(*mut mm_family, *mut c_void),
    context: *mut c_void,
}

// SAFETY: by invariant 1 of `Told` any thread may call the function with its pointer.
unsafe impl Send for Told {}
// SAFETY: by invariant 1 of `Told` several threads may call the function at the same time.
unsafe impl Sync for Told {}

impl Told {
    fn notify(&self, family: &'static PageFamily) {
        // SAFETY: by invariant 1 this thread may make the `call` with its `context`, now too.
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
    // Invariant 1 is requirement 1.
    let told = Told { call, context };
    family.set_soft_limit(limit, move |family| told.notify(family));
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

    /// Rust code of the same program may have set the limit.
    #[test]
    fn a_panic_of_rust_does_not_reach_c() {
        let family = PageFamily::register("capi:soft", Layout::new::<u64>()).expect("a new name");
        family.set_soft_limit(Limit::units(0), |_| panic!("cannot unwind"));
        // SAFETY: `handle` made the handle of the family.
        let block = unsafe { mm_family_alloc(handle(family), 1) };
        let block = core::ptr::NonNull::new(block).expect("handed out");
        assert_eq!(family.live_units(), 1);
        // SAFETY: `mm_family_alloc` gave the block, and the test neither uses it any more nor releases it
        // elsewhere.
        unsafe { family.release(block.cast()) }.expect("it is live");
    }
}
