//! Address space: a few large reservations, cut into runs from the front, never taken back.
//!
//! Each arena has a table with one entry for each step of its address space, so that an address
//! leads to its record by a subtraction, a shift and a load. Both are reserved whole and
//! committed as the cursor moves, so an unused arena costs no memory.

use core::marker::PhantomData;
use core::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::lock::OnceLock;
use super::{Lock, Look, Mapping, PageSource, Refused, System, process, watch};

/// Memory is committed in steps of this many bytes, at which arenas are aligned too.
const STEP: usize = 2 << 20;

/// The most arenas there can be. Under a limit of address space each takes an eighth of it.
const MOST_ARENAS: usize = 128;

/// Address space for runs of `GRANULE`-byte steps, each run with a record of type `E`.
#[derive(Debug)]
pub(crate) struct AddressSpace<E: 'static, const GRANULE: usize> {
    arenas: [OnceLock<Arena<E, GRANULE>>; MOST_ARENAS],
    opening: Lock<()>,
}

/// One reservation and its table.
///
/// # Invariants
///
/// 1. `table` holds one `AtomicPtr<E>` for each step of `space`, null or made from a `&'static E`.
/// 2. The first `entries` of them are committed; `entries` never falls.
/// 3. The first step of `space` and its last OS page are never committed: what is written before
///    the first run or past the last one does not come to what the kernel put beside the arena.
#[derive(Debug)]
pub(crate) struct Arena<E: 'static, const GRANULE: usize> {
    space: Mapping,
    table: Mapping,
    entries: AtomicUsize,
    cursor: Lock<Cursor>,
    records: PhantomData<&'static E>,
}

/// How far an arena is used up; offsets in bytes.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// Start of what no run has taken yet.
    next: usize,
    /// Rest of the step that runs smaller than a step are cut from.
    small: (usize, usize),
    /// End of what is committed.
    committed: usize,
}

/// Why an arena gave no run.
enum Denied {
    Full,
    Refused,
}

impl<E: Sync, const GRANULE: usize> AddressSpace<E, GRANULE> {
    pub(crate) const fn new() -> Self {
        Self {
            arenas: [const { OnceLock::new() }; MOST_ARENAS],
            opening: Lock::new(()),
        }
    }

    /// Takes a run of `bytes` at a multiple of `align`: readable, writable, zero.
    ///
    /// Returns its arena and its offset there. Adds the calls into the kernel to `calls`.
    pub(crate) fn take(
        &'static self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<(&'static Arena<E, GRANULE>, usize), Refused> {
        if let Some(found) = self.take_from_open(bytes, align, calls)? {
            return Ok(found);
        }
        let _opening = self.opening.lock();
        // Another thread may have opened an arena meanwhile.
        if let Some(found) = self.take_from_open(bytes, align, calls)? {
            return Ok(found);
        }
        // What is before the run: up to its alignment, and the arena's first part.
        let before = align.checked_add(STEP).ok_or(Refused)?;
        let arena = self.open(bytes.checked_add(before).ok_or(Refused)?, calls)?;
        let offset = arena.take(bytes, align, calls).map_err(|_| Refused)?;
        Ok((arena, offset))
    }

    /// Finds the record of the run that `address` lies in.
    #[inline]
    pub(crate) fn record_at(&'static self, address: usize) -> Option<&'static E> {
        // Most programs never open another arena.
        match self.arenas[0].get() {
            Some(arena) if arena.contains(address) => arena.record_at(address),
            _ => self.record_in_further_arenas(address),
        }
    }

    #[cold]
    fn record_in_further_arenas(&'static self, address: usize) -> Option<&'static E> {
        let arena = self.open_arenas().find(|arena| arena.contains(address))?;
        arena.record_at(address)
    }

    /// Calls `f` with the record and the bytes of each step, or part of one, that memory backs, or
    /// of which the kernel does not say it.
    ///
    /// `in_use` says of a record how many bytes its run still has from an offset on, and whether
    /// any memory may back them: the kernel is not asked about what was given back.
    pub(crate) fn for_each_resident(
        &'static self,
        look: &Look,
        in_use: impl Fn(&E, usize) -> (usize, bool),
        mut f: impl FnMut(&'static E, Result<usize, Refused>),
    ) {
        for arena in self.open_arenas() {
            for span in arena.spans(&in_use) {
                let space = &arena.space;
                space.resident_by_step(look, span, GRANULE, |offset, bytes| {
                    if let Some(record) = arena.record_at_offset(offset) {
                        f(record, bytes);
                    }
                });
            }
        }
    }

    /// Resident bytes of the tables.
    pub(crate) fn tables_resident(&'static self, look: &Look) -> Result<usize, Refused> {
        let mut arenas = self.open_arenas();
        arenas.try_fold(0, |all, arena| Ok(all + arena.table_resident(look)?))
    }

    /// Holds all locks, before a fork.
    pub(crate) fn hold(&'static self) {
        self.opening.hold();
        self.open_arenas().for_each(|arena| arena.cursor.hold());
    }

    /// Ends what [`hold`](Self::hold) began.
    ///
    /// # Safety
    ///
    /// As for [`Lock::let_go`], for every lock that `hold` locked.
    pub(crate) unsafe fn let_go(&'static self) {
        // No arena was opened meanwhile: `opening` was held.
        for arena in self.open_arenas() {
            // SAFETY: the caller promises it.
            unsafe { arena.cursor.let_go() };
        }
        // SAFETY: the caller promises it.
        unsafe { self.opening.let_go() };
    }

    fn open_arenas(&'static self) -> impl Iterator<Item = &'static Arena<E, GRANULE>> {
        self.arenas.iter().map_while(OnceLock::get)
    }

    fn take_from_open(
        &'static self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<Option<(&'static Arena<E, GRANULE>, usize)>, Refused> {
        let mut refused = false;
        for arena in self.open_arenas() {
            match arena.take(bytes, align, calls) {
                Ok(offset) => return Ok(Some((arena, offset))),
                Err(Denied::Full) => {}
                // Another one may have committed room left.
                Err(Denied::Refused) => refused = true,
            }
        }
        if refused { Err(Refused) } else { Ok(None) }
    }

    /// Opens an arena with room for at least `least` bytes; the caller holds `opening`.
    fn open(
        &'static self,
        least: usize,
        calls: &mut u64,
    ) -> Result<&'static Arena<E, GRANULE>, Refused> {
        let mut slots = self.arenas.iter().enumerate();
        let (number, slot) = slots
            .find(|(_, slot)| slot.get().is_none())
            .ok_or(Refused)?;
        // Twice as much for each eighth arena, or their number would bound the heap.
        let wanted = arena_bytes() << (number / 8);
        let arena = Arena::reserve(wanted.max(least), least, calls)?;
        watch::begin(arena.space.at(0), arena.space.bytes());
        Ok(slot.get_or_init(|| arena))
    }
}

impl<E: Sync, const GRANULE: usize> Arena<E, GRANULE> {
    /// Reserves `wanted` bytes if the system allows, and at least `least`.
    fn reserve(wanted: usize, least: usize, calls: &mut u64) -> Result<Self, Refused> {
        let least = least.checked_next_multiple_of(STEP).ok_or(Refused)?;
        let mut bytes = wanted.next_multiple_of(STEP).max(least);
        loop {
            *calls += 2;
            match Self::reserve_exactly(bytes) {
                Ok(arena) => return Ok(arena),
                Err(Refused) if bytes == least => return Err(Refused),
                // Any error: valgrind, for one, answers EINVAL above 32 GiB.
                Err(Refused) => bytes = (bytes / 2).next_multiple_of(STEP).max(least),
            }
        }
    }

    fn reserve_exactly(bytes: usize) -> Result<Self, Refused> {
        Ok(Self {
            // Runs end at multiples of `STEP`, as `bytes` is: none reaches the page behind.
            space: Mapping::reserve(bytes + System::page_bytes(), STEP)?,
            table: Mapping::reserve(bytes / GRANULE * size_of::<AtomicPtr<E>>(), 1)?,
            entries: AtomicUsize::new(0),
            cursor: Lock::new(Cursor {
                next: STEP,
                small: (GRANULE, STEP),
                committed: GRANULE,
            }),
            records: PhantomData,
        })
    }

    /// The reservation.
    pub(crate) fn space(&self) -> &Mapping {
        &self.space
    }

    /// Makes `record` the record of all steps of the run at `offset`.
    pub(crate) fn set_records(&'static self, offset: usize, bytes: usize, record: &'static E) {
        for step in offset / GRANULE..(offset + bytes).div_ceil(GRANULE) {
            if let Some(entry) = self.entry(step) {
                entry.store(core::ptr::from_ref(record).cast_mut(), Release);
            }
        }
    }

    /// Finds the record of the run that the byte at `offset` lies in.
    pub(crate) fn record_at_offset(&'static self, offset: usize) -> Option<&'static E> {
        let record = self.entry(offset / GRANULE)?.load(Acquire);
        // SAFETY: invariant 1: an entry is null or was made from a `&'static E`.
        unsafe { record.as_ref() }
    }

    fn record_at(&'static self, address: usize) -> Option<&'static E> {
        self.record_at_offset(address - self.space.address())
    }

    /// The longest spans of neighbouring runs that are in use, in order.
    fn spans(
        &'static self,
        in_use: impl Fn(&E, usize) -> (usize, bool),
    ) -> impl Iterator<Item = core::ops::Range<usize>> {
        let committed = self.cursor.lock().committed;
        let look = move |offset| match self.record_at_offset(offset) {
            Some(record) => in_use(record, offset),
            None => (GRANULE, false),
        };
        let mut next = 0;
        core::iter::from_fn(move || {
            let mut start = None;
            while next < committed {
                let (bytes, used) = look(next);
                match start {
                    Some(start) if !used => return Some(start..next),
                    None if used => start = Some(next),
                    _ => {}
                }
                // At least a step, and no further than the end, whatever another thread changes.
                next = (next + bytes.max(GRANULE)).min(committed);
            }
            start.map(|start| start..next)
        })
    }

    fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.space.address()) < self.space.bytes()
    }

    fn entry(&'static self, step: usize) -> Option<&'static AtomicPtr<E>> {
        if step >= self.entries.load(Acquire) {
            return None;
        }
        let entry = self.table.at(step * size_of::<AtomicPtr<E>>());
        // SAFETY: invariants 1 and 2: the entry is committed and holds an atomic, zero being null.
        Some(unsafe { entry.cast().as_ref() })
    }

    fn table_resident(&self, look: &Look) -> Result<usize, Refused> {
        let bytes = self.entries.load(Relaxed) * size_of::<AtomicPtr<E>>();
        self.table.resident(look, 0..bytes)
    }

    fn take(&self, bytes: usize, align: usize, calls: &mut u64) -> Result<usize, Denied> {
        let mut cursor = self.cursor.lock();
        let (offset, after) = self.plan(*cursor, bytes, align).ok_or(Denied::Full)?;
        let committed = self.commit_to(cursor.committed, after.next, calls)?;
        *cursor = Cursor { committed, ..after };
        Ok(offset)
    }

    /// Where a run would go, and the cursor after it.
    fn plan(&self, cursor: Cursor, bytes: usize, align: usize) -> Option<(usize, Cursor)> {
        if bytes >= STEP || align >= STEP {
            let offset = self.aligned(cursor.next, align)?;
            let next = self.aligned(offset.checked_add(bytes)?, STEP)?;
            return Some((offset, Cursor { next, ..cursor }));
        }
        let (from, end) = cursor.small;
        let offset = self.aligned(from, align)?;
        if offset + bytes <= end {
            let small = (offset + bytes, end);
            return Some((offset, Cursor { small, ..cursor }));
        }
        let (step, after) = self.plan(cursor, STEP, STEP)?;
        let small = (step + bytes, step + STEP);
        Some((step, Cursor { small, ..after }))
    }

    /// The next offset whose address is a multiple of `align`, unless it is past the end.
    fn aligned(&self, offset: usize, align: usize) -> Option<usize> {
        let address = self.space.address().checked_add(offset)?;
        let offset = address.checked_next_multiple_of(align)? - self.space.address();
        (offset <= self.space.bytes()).then_some(offset)
    }

    /// Commits memory and table up to offset `end`; returns the end of what is committed now.
    fn commit_to(&self, committed: usize, end: usize, calls: &mut u64) -> Result<usize, Denied> {
        if end <= committed {
            return Ok(committed);
        }
        self.commit_table_to(end, calls)?;
        *calls += 1;
        let answer = self.space.commit(committed..end);
        answer.map_err(|Refused| Denied::Refused)?;
        Ok(end)
    }

    /// Commits the table's OS pages for all steps below offset `end`; the caller holds the cursor.
    fn commit_table_to(&self, end: usize, calls: &mut u64) -> Result<(), Denied> {
        let entry = size_of::<AtomicPtr<E>>();
        let entries = self.entries.load(Relaxed);
        if end / GRANULE <= entries {
            return Ok(());
        }
        // Whole steps of 64 KiB: one call for each 512 MiB of address space.
        let bytes = (end / GRANULE * entry).next_multiple_of(64 << 10);
        let bytes = bytes.min(self.table.bytes());
        *calls += 1;
        let answer = self.table.commit(entries * entry..bytes);
        answer.map_err(|Refused| Denied::Refused)?;
        self.entries.store(bytes / entry, Release);
        Ok(())
    }
}

/// How much one arena asks for: under a limit of address space, an eighth of that.
fn arena_bytes() -> usize {
    let most = process::address_space_limit().map_or(usize::MAX, |limit| limit / 8);
    (System::ARENA_BYTES.min(most) / STEP * STEP).max(2 * STEP)
}
