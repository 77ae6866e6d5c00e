//! The limit of the whole heap: of the memory that all families hold together.
//!
//! A family *holds* an extent from its first use until it gives all of the extent's memory back to the kernel, and
//! the address space of a large block until it gives that back. Whoever takes more counts it here first. So the
//! limit costs nothing where a block comes from memory that the family holds already, and no family is uncached for
//! it.

use core::cell::Cell;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::Shortage;
use crate::os::Refused;

/// No limit.
pub(crate) const NONE: u64 = u64::MAX;

/// Bytes that all families hold.
static HELD: AtomicU64 = AtomicU64::new(0);

/// The most bytes that they may hold.
static LIMIT: AtomicU64 = AtomicU64::new(NONE);

/// The soft limit: more bytes count as a crossing.
static SOFT: AtomicU64 = AtomicU64::new(NONE);

/// Crossings of the soft limit that were not reported yet.
static CROSSINGS: AtomicU64 = AtomicU64::new(0);

std::thread_local! {
    /// Whether the limit refused memory to the running call of this thread.
    static IS_REFUSED: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread allocates for mm itself, to which the limit refuses nothing.
    static IS_EXEMPT: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn held() -> u64 {
    HELD.load(Relaxed)
}

pub(crate) fn limit() -> u64 {
    LIMIT.load(Relaxed)
}

pub(crate) fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Relaxed);
}

/// Sets the soft limit. Crossings of an earlier one are not reported any more.
pub(crate) fn set_soft_limit(bytes: u64) {
    SOFT.store(bytes, Relaxed);
    CROSSINGS.store(0, Relaxed);
}

/// Whether there is an unreported crossing of the soft limit.
#[inline]
pub(crate) fn is_any_crossing() -> bool {
    CROSSINGS.load(Relaxed) > 0
}

/// Consumes one unreported crossing; false if there is none.
pub(crate) fn take_crossing() -> bool {
    let one_less = |crossings: u64| crossings.checked_sub(1);
    CROSSINGS.fetch_update(Relaxed, Relaxed, one_less).is_ok()
}

/// Forgets a refusal that the running call survived.
#[inline]
pub(crate) fn begin_call() {
    if limit() != NONE {
        take_refusal();
    }
}

/// Whether the limit refused memory to the running call; asks once.
pub(crate) fn take_refusal() -> bool {
    IS_REFUSED.try_with(|it| it.replace(false)).unwrap_or(false)
}

/// The shortage of a call to which the limit refused memory.
pub(crate) fn shortage(of_call: Shortage) -> Shortage {
    match of_call {
        Shortage::NoMemory => Shortage::OverHeapLimit {
            limit_bytes: limit(),
        },
        other => other,
    }
}

/// Whether the limit would admit `bytes` more bytes now.
#[allow(
    dead_code,
    reason = "only walks of stacks need it, which not every build has"
)]
pub(crate) fn has_room(bytes: u64) -> bool {
    held().saturating_add(bytes) <= limit()
}

/// Runs `body`, to whose allocations the limit refuses nothing: those that mm cannot do without once it began.
/// The caller asks [`has_room`] before, so that only other threads can make it exceed the limit.
#[allow(
    dead_code,
    reason = "only walks of stacks need it, which not every build has"
)]
pub(crate) fn exempt<R>(body: impl FnOnce() -> R) -> R {
    let before = IS_EXEMPT.replace(true);
    let answer = body();
    IS_EXEMPT.set(before);
    answer
}

/// The limit for the calling thread.
fn limit_here() -> u64 {
    let is_exempt = limit() != NONE && IS_EXEMPT.try_with(Cell::get).unwrap_or(false);
    if is_exempt { NONE } else { limit() }
}

/// Counts `bytes` more bytes, if the limit admits them.
pub(in crate::heap) fn hold(bytes: usize) -> Result<(), Refused> {
    let limit = limit_here();
    let more = |held: u64| held.checked_add(bytes as u64).filter(|new| *new <= limit);
    match HELD.fetch_update(Relaxed, Relaxed, more) {
        Ok(before) => {
            account_crossing(before, bytes);
            Ok(())
        }
        Err(_) => {
            account_refusal();
            Err(Refused)
        }
    }
}

/// Whether the limit admits `bytes` more bytes. Otherwise it has refused them.
pub(in crate::heap) fn admits(bytes: usize) -> bool {
    let limit = limit_here();
    let is_admitted = limit == NONE || held().saturating_add(bytes as u64) <= limit;
    if !is_admitted {
        account_refusal();
    }
    is_admitted
}

/// Counts `bytes` more bytes that the family holds already.
pub(in crate::heap) fn hold_admitted(bytes: usize) {
    let before = HELD.fetch_add(bytes as u64, Relaxed);
    account_crossing(before, bytes);
}

/// Counts `bytes` fewer bytes.
pub(in crate::heap) fn release(bytes: usize) {
    HELD.fetch_sub(bytes as u64, Relaxed);
}

fn account_crossing(before: u64, bytes: usize) {
    let soft = SOFT.load(Relaxed);
    if before <= soft && before.saturating_add(bytes as u64) > soft {
        CROSSINGS.fetch_add(1, Relaxed);
    }
}

fn account_refusal() {
    let _ = IS_REFUSED.try_with(|it| it.set(true));
}
