//! What one thread holds: the list of its caches, and the table of those without a static cell.

use core::cell::Cell;
use core::ptr;

use super::Heap;
use super::cache::{CacheCell, CacheRecord};
use super::link::Link;
use super::meta;
#[cfg(feature = "capi")]
use crate::os::own_word;
use crate::os::{Inside, Lock, Refused};
use crate::sync::{MODELLED, thread_local};

/// Cells in one part of a table.
const CELLS: usize = 256;

/// Parts that a table has room for: a million families, in all threads the same.
const PARTS: usize = 4_096;

type Cells = [CacheCell; CELLS];

type NearCells = [CacheCell; NEAR + 1];

/// Families below this number have their cells in thread-local storage itself: no steps through a
/// table. The first of the cells is no family's, and never open.
pub(super) const NEAR: usize = if MODELLED { 1 } else { 127 };

thread_local! {
    static NEAR_CELLS: NearCells = const { [const { CacheCell::new() }; NEAR + 1] };
}

thread_local! {
    static THREAD: Thread = const { Thread::new() };
}

/// Tables of ended threads, for new ones.
static SPARE_TABLES: Lock<Option<&'static Table>> = Lock::new(None);

/// One thread's caches; flushes them when the thread ends.
#[derive(Debug)]
struct Thread {
    newest: Cell<Option<&'static CacheRecord>>,
    table: Cell<Option<&'static Table>>,
}

/// A thread's cells by the number of the family.
#[derive(Debug)]
struct Table {
    parts: &'static [Link<Cells>],
    next_spare: Link<Table>,
}

/// The calling thread's cell of the family that has `place` less one as its number, in few steps; none
/// before the thread's first cache.
///
/// # Safety
///
/// As for [`near_cell`], and `place` is at most `NEAR`.
#[cfg(feature = "capi")]
#[inline]
pub(super) unsafe fn nearest_cell<'a>(place: usize) -> Option<&'a CacheCell> {
    let cells = own_word::get().cast::<NearCells>();
    // SAFETY: `open` put the cells there, or nobody did; and as in `near_cell`.
    let cells = unsafe { cells.as_ref() }?;
    // SAFETY: the caller promises that there is one.
    Some(unsafe { cells.get_unchecked(place) })
}

/// Gives the calling thread's `cell` a cache of `heap`; false when the thread is at its end, or
/// there is no memory for one.
pub(super) fn open(heap: &'static Heap, cell: &CacheCell) -> bool {
    #[cfg(feature = "capi")]
    own_word::set(NEAR_CELLS.with(ptr::from_ref).cast());
    THREAD
        .try_with(|thread| thread.open(heap, cell).is_ok())
        .unwrap_or(false)
}

/// Lends the calling thread's cell of family number `number` to `f`.
///
/// Without memory for the cell, or at the thread's end, there may be none.
#[inline]
pub(super) fn with_cell<R>(number: usize, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
    // SAFETY: lent to `f` alone, which is called here.
    match unsafe { near_cell(number + 1) } {
        Some(cell) => f(Some(cell)),
        None => with_far_cell(number, f),
    }
}

/// The calling thread's cell of the family that has `place` less one as its number, if it is at hand; a
/// closed one for 0.
///
/// Not lent to a closure that does the work: rustc would leave that out of line.
///
/// # Safety
///
/// The reference goes to no other thread, and is not kept beyond the caller's own call.
#[inline]
pub(super) unsafe fn near_cell<'a>(place: usize) -> Option<&'a CacheCell> {
    if place > NEAR {
        return None;
    }
    let cells = NEAR_CELLS.with(ptr::from_ref);
    // SAFETY: the cells are thread-locals without destructor: they are there for as long as the
    // thread runs, and only this thread uses them.
    unsafe { &*cells }.get(place)
}

fn with_far_cell<R>(number: usize, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
    let cell = THREAD.try_with(|thread| thread.cell(number).ok());
    f(cell.ok().flatten())
}

/// The caches of the calling thread.
pub(super) fn caches() -> impl Iterator<Item = &'static CacheRecord> {
    let newest = THREAD.try_with(|thread| thread.newest.get()).ok().flatten();
    core::iter::successors(newest, |cache| cache.next_of_thread.get())
}

/// Whether the cache is the calling thread's.
pub(super) fn is_own(cache: &CacheRecord) -> bool {
    THREAD
        .try_with(Thread::name)
        .is_ok_and(|thread| cache.thread() == thread)
}

/// Holds the lock that threads share, before a fork.
pub(super) fn hold() {
    SPARE_TABLES.hold();
}

/// Ends what [`hold`] began.
///
/// # Safety
///
/// As for [`Lock::let_go`].
pub(super) unsafe fn let_go() {
    // SAFETY: the caller promises the same.
    unsafe { SPARE_TABLES.let_go() };
}

impl Thread {
    const fn new() -> Self {
        Self {
            newest: Cell::new(None),
            table: Cell::new(None),
        }
    }

    /// A number that no other thread has, meanwhile.
    fn name(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn open(&self, heap: &'static Heap, cell: &CacheCell) -> Result<(), Refused> {
        let cache = heap.open_cache(cell, self.name())?;
        cache.next_of_thread.set(self.newest.replace(Some(cache)));
        cell.lead_to(cache);
        Ok(())
    }

    fn cell(&self, number: usize) -> Result<&'static CacheCell, Refused> {
        let table = self.table()?;
        let part = table.parts.get(number / CELLS).ok_or(Refused)?;
        let cells = match part.get() {
            Some(cells) => cells,
            None => {
                let cells = meta::RECORDS.place([const { CacheCell::new() }; CELLS])?;
                part.set(Some(cells));
                cells
            }
        };
        Ok(&cells[number % CELLS])
    }

    fn table(&self) -> Result<&'static Table, Refused> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = spare_table().map_or_else(Table::make, Ok)?;
        self.table.set(Some(table));
        Ok(table)
    }
}

impl Table {
    fn make() -> Result<&'static Self, Refused> {
        meta::RECORDS.place(Self {
            parts: meta::RECORDS.zeroed(PARTS)?,
            next_spare: Link::none(),
        })
    }
}

fn spare_table() -> Option<&'static Table> {
    let mut spare = SPARE_TABLES.lock();
    let table = (*spare)?;
    *spare = table.next_spare.get();
    Some(table)
}

/// Leaves the spare tables behind, so that the next thread has to make one.
#[cfg(test)]
pub(crate) fn forget_spare_tables() {
    *SPARE_TABLES.lock() = None;
}

impl Drop for Thread {
    fn drop(&mut self) {
        let _inside = Inside::enter();
        let mut next = self.newest.take();
        while let Some(cache) = next {
            // Read before the record is free for another thread.
            next = cache.next_of_thread.get();
            // SAFETY: the record is on this thread's list. Cells have no destructor, so those in
            // thread-local storage exist until the thread is gone; those of the table always do.
            unsafe { cache.heap().close_cache(cache) };
        }
        // All its cells lead to no cache again, so any thread may have the table.
        if let Some(table) = self.table.take() {
            let mut spare = SPARE_TABLES.lock();
            table.next_spare.set(spare.replace(table));
        }
    }
}
