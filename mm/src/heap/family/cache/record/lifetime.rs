//! How a thread gets a record, and gives it back.

use core::ptr;
use core::sync::atomic::Ordering::{Relaxed, Release};

use super::CacheRecord;
use super::{CLOSED, Inbox, SHUT};
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, numbers};
use crate::heap::ground::Link;
use crate::heap::ground::Neighbours;
use crate::heap::pages::Owner;
use crate::os::Refused;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

impl CacheRecord {
    pub(in crate::heap::family::cache) const fn closed() -> Self {
        Self {
            hot: AtomicPtr::new(ptr::without_provenance_mut(CLOSED)),
            taken: AtomicU64::new(0),
            cur: AtomicPtr::new(ptr::null_mut()),
            end: AtomicPtr::new(ptr::null_mut()),
            run: AtomicPtr::new(ptr::null_mut()),
            run_end: AtomicPtr::new(ptr::null_mut()),
            stack: AtomicPtr::new(ptr::dangling_mut()),
            stacked: AtomicU32::new(0),
            room: AtomicU32::new(0),
            run_from: AtomicPtr::new(ptr::null_mut()),
            run_seen: AtomicPtr::new(ptr::null_mut()),
            last: AtomicUsize::new(0),
            version: AtomicU64::new(0),
            moves: AtomicU64::new(0),
            refilled: AtomicU64::new(0),
            direct: AtomicU64::new(0),
            trigger: AtomicU64::new(0),
            busy: AtomicU32::new(0),
            wanted: AtomicU32::new(0),
            grows: AtomicU32::new(1),
            is_zero: AtomicU32::new(0),
            padding_taken: AtomicU64::new(0),
            padding_released: AtomicU64::new(0),
            ready: Link::none(),
            pages: Link::none(),
            pending_first: AtomicPtr::new(ptr::null_mut()),
            pending: AtomicU64::new(0),
            stack_capacity: AtomicU32::new(0),
            number: 0,
            owned_words: AtomicU32::new(0),
            ready_pages: AtomicU32::new(0),
            stage: AtomicU32::new(0),
            sweeps: AtomicU32::new(0),
            pages_given: AtomicU32::new(0),
            extra_pages_kept: AtomicU32::new(0),
            needed_at: AtomicU64::new(0),
            used: AtomicU64::new(0),
            used_fell: AtomicU32::new(0),
            freed_at_sweep: AtomicU64::new(0),
            lowest_freed: AtomicU64::new(0),
            peak_mark: AtomicU64::new(0),
            shared: Link::none(),
            rows_taken: AtomicU64::new(0),
            bins: Link::none(),
            rows: Link::none(),
            heap: None,
            neighbours: Neighbours::none(),
            next_of_thread: Link::none(),
            cell: AtomicPtr::new(ptr::null_mut()),
            thread: AtomicUsize::new(0),
            remote: Inbox::new(SHUT),
        }
    }

    /// Makes a record that no thread has yet.
    pub(in crate::heap) fn make(heap: &'static Heap) -> Result<&'static Self, Refused> {
        numbers::add(|number| Self {
            number,
            hot: AtomicPtr::new(ptr::null_mut()),
            heap: Some(heap),
            ..Self::closed()
        })
    }

    /// The family. Only the closed record has none.
    #[inline]
    pub(in crate::heap) fn heap(&self) -> &'static Heap {
        self.heap.expect("an open cache has a family")
    }

    /// The record with a number; `None` for [`NO_OWNER`](crate::heap::pages::NO_OWNER).
    pub(in crate::heap) fn numbered(number: Owner) -> Option<&'static Self> {
        numbers::record(number)
    }

    /// The number that stands in the record's words as their owner.
    #[inline]
    pub(in crate::heap) fn number(&self) -> Owner {
        self.number
    }

    /// Gives the record to the calling thread, which holds the family's lock.
    pub(in crate::heap) fn open(&self, cell: &CacheCell, thread: usize) {
        self.thread.store(thread, Relaxed);
        self.cell.store(ptr::from_ref(cell).cast_mut(), Relaxed);
        self.stage.store(0, Relaxed);
        self.lowest_freed.store(0, Relaxed);
        self.freed_at_sweep.store(0, Relaxed);
        self.used.store(0, Relaxed);
        self.peak_mark.store(0, Relaxed);
        self.pages_given.store(0, Relaxed);
        self.extra_pages_kept.store(0, Relaxed);
        // The stack may have been out of use when the last thread ended.
        self.room.store(self.stack_capacity.load(Relaxed), Relaxed);
        self.grows.store(1, Relaxed);
        self.begin_to_count();
        self.end_wanted();
        // `Release`: a thread that puts a word there must see the stores above.
        self.remote.words.store(0, Relaxed);
        self.remote.first.store(ptr::null_mut(), Release);
    }

    /// Takes the empty record from its thread. The caller holds the family's lock.
    ///
    /// # Safety
    ///
    /// 1. The record belongs to the calling thread.
    /// 2. Its cell still exists.
    pub(in crate::heap) unsafe fn close(&self) {
        let cell = self.cell.swap(ptr::null_mut(), Relaxed);
        // SAFETY: by requirement 2 the cell still exists, and by requirement 1 on this very thread.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.close();
        }
    }

    /// Takes the empty record from a thread that no longer exists. The caller holds the family's lock.
    pub(in crate::heap) fn abandon(&self) {
        // The memory of the cell may have another use now.
        self.cell.store(ptr::null_mut(), Relaxed);
    }

    /// The thread that has the record.
    pub(in crate::heap) fn thread(&self) -> usize {
        self.thread.load(Relaxed)
    }

    /// Redirects the cell of the record's thread, so that its next call takes a slow path and flushes the
    /// cache. The caller holds the family's lock.
    pub(in crate::heap) fn ask_to_flush(&self) {
        let cell = self.cell.load(Relaxed);
        // SAFETY: by invariant 5 the cell exists as long as this thread, which holds the family's lock,
        // finds it here. Its fields are atomic, so that its thread may use it meanwhile.
        if let Some(cell) = unsafe { cell.as_ref() } {
            cell.redirect();
        }
    }
}
