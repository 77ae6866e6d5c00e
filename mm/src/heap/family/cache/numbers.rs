//! From the number of a record to the record: words name their owner in 32 bits.

use super::record::CacheRecord;
use crate::heap::ground::{Link, meta};
use crate::heap::pages::Owner;
use crate::os::{Lock, Refused};

/// Records in one part of the table.
const PART: usize = 1 << 10;

/// Parts of the table: enough for four million caches.
const PARTS: usize = 1 << 12;

/// The record with each number, from 1 on.
static TABLE: [Link<[Link<CacheRecord>; PART]>; PARTS] = [const { Link::none() }; PARTS];

/// The newest number.
static NEWEST: Lock<usize> = Lock::new(0);

/// Makes a record with the next number.
pub(super) fn add(
    make: impl FnOnce(Owner) -> CacheRecord,
) -> Result<&'static CacheRecord, Refused> {
    let mut newest = NEWEST.lock();
    let number = *newest + 1;
    let part = TABLE.get(number / PART).ok_or(Refused)?;
    let records = match part.get() {
        Some(records) => records,
        None => {
            let made = meta::RECORDS.place([const { Link::none() }; PART])?;
            part.set(Some(made));
            made
        }
    };
    let owner = Owner::try_from(number).map_err(|_| Refused)?;
    let record = meta::RECORDS.place(make(owner))?;
    records[number % PART].set(Some(record));
    *newest = number;
    Ok(record)
}

/// The record with a number; `None` if no record has it.
pub(super) fn record(number: Owner) -> Option<&'static CacheRecord> {
    let number = number as usize;
    TABLE.get(number / PART)?.get()?[number % PART].get()
}

/// Starts again from the first number, so that each execution of a model finds the same.
#[cfg(all(test, loom))]
pub(in crate::heap) fn begin_again() {
    *NEWEST.lock() = 0;
    let part = meta::RECORDS.place([const { Link::none() }; PART]);
    TABLE[0].set(part.ok());
}

/// The address of the lock, which is held for a few lines.
#[cfg(all(test, loom))]
pub(in crate::heap) fn numbers_range() -> core::ops::Range<usize> {
    let start = core::ptr::from_ref(&NEWEST).addr();
    start..start + size_of_val(&NEWEST)
}

/// Takes the lock before a fork.
pub(in crate::heap) fn lock_for_fork() {
    NEWEST.lock_for_fork();
}

/// Releases the lock that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `NEWEST`.
    unsafe { NEWEST.unlock_after_fork() };
}
