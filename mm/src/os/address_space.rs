//! Address space: arenas that are opened one after the other, each twice as large as the last.
//!
//! A process that uses little memory reserves little, and one that uses much has few arenas. If the kernel
//! refuses a reservation, mm asks for smaller parts. Reasons to refuse are limits of address space, limits
//! of locked memory once a program called `mlockall(MCL_FUTURE)`, and tools that support no large mappings.

use core::sync::atomic::Ordering::{Acquire, Release};
use core::sync::atomic::{AtomicPtr, AtomicU32};
use core::{iter, ptr};

use super::address_table::{AddressTable, GRANULE};
use super::arena::{Arena, Denied, STEP};
use super::lock::OnceLock;
use super::{Lock, Look, Mapping, PageSource, Refused, System, annotate, process, reserve_some};

/// Arenas of one batch: more than a process needs if the kernel refuses nothing.
const BATCH: usize = 32;

/// Address space for runs of granules, each run with a record of type `E`.
#[derive(Debug)]
pub(crate) struct AddressSpace<E: 'static, M: 'static> {
    table: AddressTable<E, M>,
    arenas: Batch,
    /// An arena of its own for runs that their addresses alone tell apart; see `take_in_range`.
    range: OnceLock<Arena>,
    /// Bytes that the next arena asks for. A thread that opens an arena holds the lock.
    next: Lock<usize>,
}

/// Some arenas, and where the next batch is.
///
/// # Invariants
///
/// 1. `next` is null or points to a batch that is never given back or moved.
#[derive(Debug)]
struct Batch {
    arenas: [OnceLock<Arena>; BATCH],
    next: AtomicPtr<Batch>,
}

impl<E: Sync, M: Sync> AddressSpace<E, M> {
    pub(crate) const fn new() -> Self {
        Self {
            table: AddressTable::new(),
            arenas: Batch::new(),
            range: OnceLock::new(),
            next: Lock::new(System::FIRST_ARENA),
        }
    }

    /// Makes a separate address space, for one test; it is too large for the stack.
    #[cfg(test)]
    pub(crate) fn leaked() -> &'static Self {
        let mapping = Mapping::reserve(size_of::<Self>(), align_of::<Self>()).expect("addresses");
        mapping.commit(0..mapping.bytes()).expect("memory");
        let space = mapping.at(0).cast::<Self>();
        core::mem::forget(mapping);
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a space.
        let table = unsafe { &raw mut (*space.as_ptr()).table };
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a space.
        let arenas = unsafe { &raw mut (*space.as_ptr()).arenas };
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a space.
        let range = unsafe { &raw mut (*space.as_ptr()).range };
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a space.
        let next = unsafe { &raw mut (*space.as_ptr()).next };
        // SAFETY: `commit` gave zeroed memory, aligned and large enough, which nothing else knows of.
        unsafe { AddressTable::begin_in_zeros(table) };
        // SAFETY: `commit` made the memory writable, and nothing else knows of it.
        unsafe { arenas.write(Batch::new()) };
        // SAFETY: `commit` made the memory writable, and nothing else knows of it.
        unsafe { range.write(OnceLock::new()) };
        // SAFETY: `commit` made the memory writable, and nothing else knows of it.
        unsafe { next.write(Lock::new(System::FIRST_ARENA)) };
        // SAFETY: `begin_in_zeros` and `write` just made all fields, and `forget` keeps the memory for
        // ever.
        unsafe { space.as_ref() }
    }

    /// Takes a run of `bytes` at a multiple of `align`: readable, writable, zero.
    ///
    /// Returns its arena and its offset there. Adds the calls into the kernel to `calls`.
    pub(crate) fn take(
        &'static self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<(&'static Arena, usize), Refused> {
        if let Some(found) = self.take_from_open(bytes, align, calls)? {
            return Ok(found);
        }
        let mut next = self.next.lock();
        // Another thread may have opened an arena meanwhile.
        if let Some(found) = self.take_from_open(bytes, align, calls)? {
            return Ok(found);
        }
        let least = Arena::room_for(bytes, align).ok_or(Refused)?;
        let arena = self.open(&mut next, least, calls)?;
        let offset = self.take_from(arena, bytes, align, calls);
        Ok((arena, offset.map_err(|_| Refused)?))
    }

    /// Reserves the range of [`take_in_range`](Self::take_in_range), unless it is reserved: of `most` bytes, or
    /// fewer if the kernel refuses that many. Returns its first address and its bytes.
    pub(crate) fn reserve_range(&'static self, most: usize) -> Result<(usize, usize), Refused> {
        let _opening = self.next.lock();
        let range = match self.range.get() {
            Some(range) => range,
            None => {
                let wanted = most.min(most_bytes());
                let arena = reserve_some(wanted, STEP.min(wanted), |bytes| {
                    let arena = Arena::reserve(bytes, GRANULE)?;
                    let end = arena.space().address() + arena.space().bytes();
                    let is_known = AddressTable::<E, M>::reaches(end);
                    is_known.then_some(arena).ok_or(Refused)
                })?;
                annotate::begin(arena.space().at(0), arena.space().bytes());
                self.range.get_or_init(|| arena)
            }
        };
        Ok((range.space().address(), range.space().bytes()))
    }

    /// As [`take`](Self::take), from the range that [`reserve_range`](Self::reserve_range) reserved.
    pub(crate) fn take_in_range(
        &'static self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<(&'static Arena, usize), Refused> {
        let range = self.range.get().ok_or(Refused)?;
        let offset = self.take_from(range, bytes, align, calls);
        Ok((range, offset.map_err(|_| Refused)?))
    }

    /// Finds the record of the run that `address` lies in.
    #[inline]
    pub(crate) fn record_at(&'static self, address: usize) -> Option<&'static E> {
        self.table.record_at(address)
    }

    /// Makes `map` the map of the VM page of `bytes` bytes at `address`.
    pub(crate) fn set_map(&'static self, address: usize, bytes: usize, map: &'static [M]) {
        self.table.set_map(address, bytes, map);
    }

    /// The map of the VM page that `address` lies in, and the page's count.
    ///
    /// # Safety
    ///
    /// 1. [`set_map`](Self::set_map) gave the VM page of `address` a map.
    /// 2. That happened before this call, on this thread or on one that it synchronised with.
    #[inline]
    pub(crate) unsafe fn map_and_count_at(
        &'static self,
        address: usize,
    ) -> (*const M, &'static AtomicU32) {
        // SAFETY: requirements 1 and 2 are those of `AddressTable::map_and_count_at`.
        unsafe { self.table.map_and_count_at(address) }
    }

    /// The count of the granule that `address` lies in, which is covered.
    pub(crate) fn count_at(&'static self, address: usize) -> Option<&'static AtomicU32> {
        self.table.count_at(address)
    }

    /// Makes `record` the record of the run of `bytes` bytes at `address`.
    pub(crate) fn set_records(&'static self, address: usize, bytes: usize, record: &'static E) {
        self.table.set_records(address, bytes, record);
    }

    /// Calls `f` with the record and the bytes of each step, or part of one, that memory backs, or whose
    /// state the kernel does not report.
    ///
    /// `in_use` returns how many bytes a record's run still has from an offset on, and whether any memory
    /// may back them: the kernel is not asked about memory that was returned to it.
    pub(crate) fn for_each_resident(
        &'static self,
        look: &Look,
        in_use: impl Fn(&E, usize) -> (usize, bool),
        mut f: impl FnMut(&'static E, Result<usize, Refused>),
    ) {
        for arena in self.all_arenas() {
            let space = arena.space();
            for span in self.spans(arena, &in_use) {
                space.resident_by_step(look, span, GRANULE, |offset, bytes| {
                    if let Some(record) = self.record_at(space.address() + offset) {
                        f(record, bytes);
                    }
                });
            }
        }
    }

    /// Resident bytes of the table.
    pub(crate) fn tables_resident(&'static self, look: &Look) -> Result<usize, Refused> {
        self.table.resident(look)
    }

    /// Takes all locks, before a fork.
    pub(crate) fn lock_for_fork(&'static self) {
        self.next.lock_for_fork();
        self.all_arenas()
            .for_each(|arena| arena.cursor().lock_for_fork());
        self.table.lock_for_fork();
    }

    /// Ends what [`lock_for_fork`](Self::lock_for_fork) began.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called [`lock_for_fork`](Self::lock_for_fork) before, or is the copy in a child of the one that
    ///    did.
    pub(crate) unsafe fn unlock_after_fork(&'static self) {
        // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy of.
        unsafe { self.table.unlock_after_fork() };
        // No arena was opened meanwhile: `next` was held.
        for arena in self.all_arenas() {
            // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
            // of.
            unsafe { arena.cursor().unlock_after_fork() };
        }
        // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy of.
        unsafe { self.next.unlock_after_fork() };
    }

    fn all_arenas(&'static self) -> impl Iterator<Item = &'static Arena> {
        self.open_arenas().chain(self.range.get())
    }

    fn open_arenas(&'static self) -> impl Iterator<Item = &'static Arena> {
        let batches = iter::successors(Some(&self.arenas), |batch| batch.next());
        batches.flat_map(|batch| batch.arenas.iter().map_while(OnceLock::get))
    }

    fn take_from_open(
        &'static self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<Option<(&'static Arena, usize)>, Refused> {
        let mut refused = false;
        for arena in self.open_arenas() {
            match self.take_from(arena, bytes, align, calls) {
                Ok(offset) => return Ok(Some((arena, offset))),
                Err(Denied::Full) => {}
                // Another one may have committed room left.
                Err(Denied::Refused) => refused = true,
            }
        }
        if refused { Err(Refused) } else { Ok(None) }
    }

    fn take_from(
        &'static self,
        arena: &'static Arena,
        bytes: usize,
        align: usize,
        calls: &mut u64,
    ) -> Result<usize, Denied> {
        arena.take(bytes, align, calls, |address, bytes, calls| {
            self.table.cover(address, bytes, calls)
        })
    }

    /// Opens an arena of `next` bytes, or of fewer if the kernel refuses that many, but with room for at
    /// least `least`; sets how many bytes the next arena asks for.
    fn open(
        &'static self,
        next: &mut usize,
        least: usize,
        calls: &mut u64,
    ) -> Result<&'static Arena, Refused> {
        let slot = self.free_slot()?;
        // With room to start where huge OS pages do.
        let wanted = (*next).min(most_bytes()).max(least + STEP);
        let mut reserved = 0;
        let arena = reserve_some(wanted, least, |bytes| {
            *calls += 1;
            reserved = bytes;
            // An aligned start needs a larger reservation for a moment, which may fail if little is left.
            let is_small = bytes == least || bytes < 2 * STEP;
            let arena = Arena::reserve(bytes, if is_small { GRANULE } else { STEP })?;
            let end = arena.space().address() + arena.space().bytes();
            // Blocks without an entry in the table could not be released.
            let is_known = AddressTable::<E, M>::reaches(end);
            is_known.then_some(arena).ok_or(Refused)
        });
        // After a refusal the next arena is small, and later ones grow again step by step.
        *next = reserved.min(*next).saturating_mul(2);
        *next = (*next).min(System::LARGEST_ARENA);
        let arena = arena?;
        annotate::begin(arena.space().at(0), arena.space().bytes());
        Ok(slot.get_or_init(|| arena))
    }

    /// A slot for another arena; the caller holds `next`.
    fn free_slot(&'static self) -> Result<&'static OnceLock<Arena>, Refused> {
        let mut batch = &self.arenas;
        loop {
            if let Some(free) = batch.arenas.iter().find(|slot| slot.get().is_none()) {
                return Ok(free);
            }
            batch = match batch.next() {
                Some(next) => next,
                None => batch.append()?,
            };
        }
    }

    /// The longest spans of neighbouring runs of an arena that are in use, in order.
    fn spans(
        &'static self,
        arena: &'static Arena,
        in_use: impl Fn(&E, usize) -> (usize, bool),
    ) -> impl Iterator<Item = core::ops::Range<usize>> {
        let committed = arena.committed();
        let look = move |offset| match self.record_at(arena.space().address() + offset) {
            Some(record) => in_use(record, offset),
            None => (GRANULE, false),
        };
        let mut next = 0;
        iter::from_fn(move || {
            let mut start = None;
            while next < committed {
                let (bytes, used) = look(next);
                match start {
                    Some(start) if !used => return Some(start..next),
                    None if used => start = Some(next),
                    _ => {}
                }
                // At least a granule, and no further than the end, whatever another thread changes.
                next = (next + bytes.max(GRANULE)).min(committed);
            }
            start.map(|start| start..next)
        })
    }
}

impl Batch {
    const fn new() -> Self {
        Self {
            arenas: [const { OnceLock::new() }; BATCH],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn next(&self) -> Option<&'static Self> {
        // SAFETY: by invariant 1 `next` is null or leads to a batch that stays.
        unsafe { self.next.load(Acquire).as_ref() }
    }

    /// Makes the batch after this one; the caller holds the lock of the address space.
    #[cold]
    fn append(&self) -> Result<&'static Self, Refused> {
        let mapping = Mapping::reserve(size_of::<Self>(), align_of::<Self>())?;
        mapping.commit(0..mapping.bytes())?;
        let batch = mapping.at(0).cast::<Self>();
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough; `commit` made it
        // writable.
        unsafe { batch.write(Self::new()) };
        // It stays for ever.
        core::mem::forget(mapping);
        self.next.store(batch.as_ptr(), Release);
        // SAFETY: `write` just made the batch, and `forget` keeps the memory for ever.
        Ok(unsafe { batch.as_ref() })
    }
}

#[cfg(test)]
impl<E: Sync, M: Sync> AddressSpace<E, M> {
    /// Bytes of all arenas that are committed.
    pub(crate) fn committed(&'static self) -> usize {
        self.all_arenas().map(Arena::committed).sum()
    }

    /// Bytes of each arena.
    pub(crate) fn arena_bytes(&'static self) -> Vec<usize> {
        self.open_arenas()
            .map(|arena| arena.space().bytes())
            .collect()
    }
}

/// The most that one arena asks for: under a limit of address space, an eighth of that.
fn most_bytes() -> usize {
    process::address_space_limit().map_or(usize::MAX, |limit| limit / 8)
}
