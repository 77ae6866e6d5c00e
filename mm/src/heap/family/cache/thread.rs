//! The caches of a thread: their list, and the table of cells for families without a static cell.

use core::cell::Cell;

use super::{CacheCell, CacheRecord};
use crate::heap::family::Heap;
use crate::heap::ground::{Link, meta};
use crate::os::{Lock, ReentrancyGuard, Refused, tls_slot};
use crate::sync::thread_local;

/// Cells in one part of a table.
const CELLS: usize = 256;

/// Parts in a table. All threads together have room for the same million families.
const PARTS: usize = 4_096;

type Cells = [CacheCell; CELLS];

/// Families below this number have their cells in the first part of a table, which a thread finds in a few
/// instructions.
pub(in crate::heap) const FAST_FAMILIES: usize = CELLS;

thread_local! {
    static THREAD: Thread = const { Thread::new() };
}

/// Tables of ended threads, for new threads.
static RETAINED_TABLES: Lock<Option<&'static Table>> = Lock::new(None);

/// The caches of one thread. They are flushed when the thread ends.
#[derive(Debug)]
struct Thread {
    newest: Cell<Option<&'static CacheRecord>>,
    table: Cell<Option<&'static Table>>,
}

/// The cells of a thread, by the number of the family.
#[derive(Debug)]
struct Table {
    parts: &'static [Link<Cells>],
    next_retained: Link<Table>,
}

/// The calling thread's cell of family number `number`, in a few steps; `None` before the first [`with_cell`],
/// and at the thread's end.
///
/// # Safety
///
/// 1. `number` is less than `FAST_FAMILIES`.
/// 2. The reference goes to no other thread, and is not kept beyond the call of the calling function.
#[inline]
pub(in crate::heap) unsafe fn fast_cell<'a>(number: usize) -> Option<&'a CacheCell> {
    // SAFETY: `tls_slot` holds null or the first part of the calling thread's table, as `Thread::cell` put
    // it there. `Thread::drop` takes it away before another thread may have the table.
    let cells = unsafe { tls_slot::get().cast::<Cells>().as_ref() }?;
    // SAFETY: by requirement 1 the number is below `FAST_FAMILIES`, which is as many cells as the part has.
    Some(unsafe { cells.get_unchecked(number) })
}

/// Gives the calling thread's `cell` a cache of `heap`. Returns false at the thread's end, or without memory
/// for the cache.
pub(in crate::heap) fn open(heap: &'static Heap, cell: &CacheCell) -> bool {
    THREAD
        .try_with(|thread| thread.open(heap, cell).is_ok())
        .unwrap_or(false)
}

/// Lends the calling thread's cell of family number `number` to `f`, which gets `None` at the thread's end, or
/// without memory for the cell.
pub(in crate::heap) fn with_cell<R>(number: usize, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
    let cell = THREAD.try_with(|thread| thread.cell(number).ok());
    f(cell.ok().flatten())
}

/// The caches of the calling thread.
pub(in crate::heap) fn caches() -> impl Iterator<Item = &'static CacheRecord> {
    let newest = THREAD.try_with(|thread| thread.newest.get()).ok().flatten();
    core::iter::successors(newest, |cache| cache.next_of_thread.get())
}

/// Whether the cache is the calling thread's.
pub(in crate::heap) fn is_own(cache: &CacheRecord) -> bool {
    THREAD
        .try_with(Thread::name)
        .is_ok_and(|thread| cache.thread() == thread)
}

/// Takes the lock of the tables before a fork.
pub(in crate::heap) fn lock_for_fork() {
    RETAINED_TABLES.lock_for_fork();
}

/// Releases the lock that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked
    // `RETAINED_TABLES`.
    unsafe { RETAINED_TABLES.unlock_after_fork() };
}

impl Thread {
    const fn new() -> Self {
        Self {
            newest: Cell::new(None),
            table: Cell::new(None),
        }
    }

    /// A number that no other thread has at the same time.
    fn name(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    fn open(&self, heap: &'static Heap, cell: &CacheCell) -> Result<(), Refused> {
        let cache = heap.open_cache(cell, self.name())?;
        cache.next_of_thread.set(self.newest.replace(Some(cache)));
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
        if number < FAST_FAMILIES {
            tls_slot::set(core::ptr::from_ref(cells).cast());
        }
        Ok(&cells[number % CELLS])
    }

    fn table(&self) -> Result<&'static Table, Refused> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = retained_table().map_or_else(Table::make, Ok)?;
        self.table.set(Some(table));
        Ok(table)
    }
}

impl Table {
    fn make() -> Result<&'static Self, Refused> {
        meta::RECORDS.place(Self {
            parts: meta::RECORDS.zeroed(PARTS)?,
            next_retained: Link::none(),
        })
    }
}

fn retained_table() -> Option<&'static Table> {
    let mut retained = RETAINED_TABLES.lock();
    let table = (*retained)?;
    *retained = table.next_retained.get();
    Some(table)
}

/// Forgets the retained tables, so that the next thread has to make one.
#[cfg(test)]
pub(crate) fn forget_retained_tables() {
    *RETAINED_TABLES.lock() = None;
}

impl Drop for Thread {
    fn drop(&mut self) {
        let _inside = ReentrancyGuard::enter();
        let mut next = self.newest.take();
        while let Some(cache) = next {
            // Read before another thread can get the record.
            next = cache.next_of_thread.get();
            // SAFETY: `cache` is on this thread's list. Cells have no destructor, so those in thread-local
            // storage exist until the thread is gone; those of the table always do.
            unsafe { cache.heap().close_cache(cache) };
        }
        tls_slot::set(core::ptr::null());
        // None of its cells leads to a cache now, so any thread may have the table.
        if let Some(table) = self.table.take() {
            let mut retained = RETAINED_TABLES.lock();
            table.next_retained.set(retained.replace(table));
        }
    }
}
