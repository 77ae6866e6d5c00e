//! A table from addresses to records; a look-up is a shift and two loads.
//!
//! The root has one entry for each 2 GiB of the addresses that a program can have. It is part of the
//! program's zeroed data, where OS pages that were never written to cost no memory. An entry points to a
//! *leaf* once mm has memory there; a leaf has one entry for each granule. So the kernel may put arenas
//! anywhere, in any number, and beside any other mapping.

use core::fmt;
use core::ptr::{self, NonNull};
use core::sync::atomic::{
    AtomicPtr, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

use super::{Lock, Look, Mapping, Refused};

/// Bytes that one entry of a leaf stands for.
pub(crate) const GRANULE: usize = 64 << 10;

/// Bytes that one entry of the root stands for: root and leaf are about equally large.
const SLOT: usize = 1 << 31;

/// Granules of a slot.
const GRANULES: usize = SLOT / GRANULE;

/// Bits of the highest address. Linux gives a program more only if it asks for an address above
/// them, on x86-64 and on aarch64. Source: `Documentation/arch/x86/x86_64/5level-paging.rst` and
/// `Documentation/arch/arm64/memory.rst` of the kernel.
const ADDRESS_BITS: u32 = if cfg!(target_pointer_width = "32") {
    32
} else if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    47
} else {
    48
};

/// Entries of the root: half a MiB on x86-64, one on aarch64.
const SLOTS: usize = 1 << (ADDRESS_BITS - SLOT.ilog2());

/// For each covered granule: a record of type `E`, the map of type `[M]` of its VM page, and a count.
///
/// # Invariants
///
/// 1. An entry of the root is null or points to a leaf that is never given back or moved.
pub(crate) struct AddressTable<E: 'static, M: 'static> {
    root: [AtomicPtr<Leaf<E, M>>; SLOTS],
    newest: Lock<Option<&'static Leaf<E, M>>>,
}

/// The entries of one slot.
///
/// # Invariants
///
/// 1. An entry is null or was made from a `&'static E`.
/// 2. A map is null or was made from a `&'static [M]`.
struct Leaf<E: 'static, M: 'static> {
    entries: [AtomicPtr<E>; GRANULES],
    maps: [AtomicPtr<M>; GRANULES],
    counts: [AtomicU32; GRANULES],
    /// The memory that the leaf lies in.
    mapping: Mapping,
    older: Option<&'static Self>,
}

impl<E: Sync, M: Sync> AddressTable<E, M> {
    #[allow(
        clippy::large_stack_arrays,
        reason = "the compiler makes it, for a static"
    )]
    pub(crate) const fn new() -> Self {
        Self {
            root: [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS],
            newest: Lock::new(None),
        }
    }

    /// Makes a table where all is zero, without a write to the root.
    ///
    /// # Safety
    ///
    /// 1. `table` points to zeroed memory that is aligned and large enough for a table.
    /// 2. Nothing else uses the memory.
    #[cfg(test)]
    pub(crate) unsafe fn begin_in_zeros(table: *mut Self) {
        // SAFETY: by requirement 1 the field is inside of the memory.
        let newest = unsafe { &raw mut (*table).newest };
        // SAFETY: by requirements 1 and 2 the place is aligned and may be written. The root is zero, which
        // is null: invariant 1.
        unsafe { newest.write(Lock::new(None)) };
    }

    /// Finds the record of the granule that `address` lies in.
    #[inline]
    pub(crate) fn record_at(&self, address: usize) -> Option<&'static E> {
        let record = self.entry(address)?.load(Acquire);
        // SAFETY: by invariant 1 of `Leaf` the entry is null or leads to an `E` that stays for ever.
        unsafe { record.as_ref() }
    }

    /// Makes `record` the record of the granules from `address` on, as far as they are covered.
    pub(crate) fn set_records(&self, address: usize, bytes: usize, record: &'static E) {
        for granule in (address..address + bytes).step_by(GRANULE) {
            if let Some(entry) = self.entry(granule) {
                entry.store(ptr::from_ref(record).cast_mut(), Release);
            }
        }
    }

    /// Makes `map` the map of the granules from `address` on, which are covered.
    pub(crate) fn set_map(&self, address: usize, bytes: usize, map: &'static [M]) {
        for granule in (address..address + bytes).step_by(GRANULE) {
            if let Some((leaf, number)) = self.leaf(granule) {
                leaf.maps[number].store(map.as_ptr().cast_mut(), Release);
            }
        }
    }

    /// The map of the VM page that `address` lies in, and the page's count.
    ///
    /// # Safety
    ///
    /// 1. [`set_map`](Self::set_map) gave the VM page of `address` a map.
    /// 2. That happened before this call, on this thread or on one that it synchronised with.
    #[inline]
    pub(crate) unsafe fn map_and_count_at(&self, address: usize) -> (*const M, &'static AtomicU32) {
        // SAFETY: by requirement 1 the address is covered, so that the root reaches that far.
        let leaf = unsafe { self.root.get_unchecked(address / SLOT) }.load(Relaxed);
        // SAFETY: by requirements 1 and 2 the entry was not null before this call, so that by invariant 1
        // it leads to a leaf, which was written before.
        let leaf = unsafe { &*leaf };
        let number = address / GRANULE % GRANULES;
        (leaf.maps[number].load(Relaxed), &leaf.counts[number])
    }

    /// The count of the granule that `address` lies in, which is covered.
    pub(crate) fn count_at(&self, address: usize) -> Option<&'static AtomicU32> {
        let (leaf, number) = self.leaf(address)?;
        Some(&leaf.counts[number])
    }

    /// Makes sure that the granules from `address` on have entries. Adds the calls into the kernel to
    /// `calls`.
    ///
    /// # Errors
    ///
    /// Fails if there is no memory for a leaf, or if the addresses are above those that the root covers.
    pub(crate) fn cover(
        &self,
        address: usize,
        bytes: usize,
        calls: &mut u64,
    ) -> Result<(), Refused> {
        let end = address.checked_add(bytes).ok_or(Refused)?;
        let slots = self.root.get(address / SLOT..end.div_ceil(SLOT));
        for slot in slots.ok_or(Refused)? {
            if slot.load(Acquire).is_null() {
                self.make_leaf(slot, calls)?;
            }
        }
        Ok(())
    }

    /// Whether the root covers the addresses below `end`.
    pub(crate) fn reaches(end: usize) -> bool {
        end.div_ceil(SLOT) <= SLOTS
    }

    /// Resident bytes of the leaves.
    pub(crate) fn resident(&self, look: &Look) -> Result<usize, Refused> {
        // The lock is released before the call into the kernel.
        let newest = *self.newest.lock();
        let mut leaves = core::iter::successors(newest, |leaf| leaf.older);
        leaves.try_fold(0, |all, leaf| {
            Ok(all + leaf.mapping.resident(look, 0..leaf.mapping.bytes())?)
        })
    }

    /// Takes the lock, before a fork.
    pub(crate) fn lock_for_fork(&'static self) {
        self.newest.lock_for_fork();
    }

    /// Ends what [`lock_for_fork`](Self::lock_for_fork) began.
    ///
    /// # Safety
    ///
    /// 1. The calling thread called [`lock_for_fork`](Self::lock_for_fork) before, or is the copy in a child of the one that
    ///    did.
    pub(crate) unsafe fn unlock_after_fork(&'static self) {
        // SAFETY: requirement 1 says that this thread, or the one that it is the copy of, held `newest`.
        unsafe { self.newest.unlock_after_fork() };
    }

    #[inline]
    fn entry(&self, address: usize) -> Option<&'static AtomicPtr<E>> {
        let (leaf, number) = self.leaf(address)?;
        Some(&leaf.entries[number])
    }

    /// The leaf that has entries for `address`, and their number there.
    #[inline]
    fn leaf(&self, address: usize) -> Option<(&'static Leaf<E, M>, usize)> {
        let leaf = self.root.get(address / SLOT)?.load(Acquire);
        // SAFETY: by invariant 1 the entry is null or leads to a leaf that stays.
        let leaf = unsafe { leaf.as_ref() }?;
        Some((leaf, address / GRANULE % GRANULES))
    }

    #[cold]
    fn make_leaf(&self, slot: &AtomicPtr<Leaf<E, M>>, calls: &mut u64) -> Result<(), Refused> {
        let mut newest = self.newest.lock();
        // Another thread may have made it meanwhile.
        if slot.load(Acquire).is_null() {
            *calls += 2;
            let leaf = Leaf::make(*newest)?;
            *newest = Some(leaf);
            slot.store(ptr::from_ref(leaf).cast_mut(), Release);
        }
        Ok(())
    }
}

impl<E, M> Leaf<E, M> {
    /// Makes a leaf in its own mapping. Its entries are not initialised by writes, so entries that no
    /// granule needs take no memory.
    fn make(older: Option<&'static Self>) -> Result<&'static Self, Refused> {
        let mapping = Mapping::reserve(size_of::<Self>(), align_of::<Self>())?;
        mapping.commit(0..mapping.bytes())?;
        let leaf: NonNull<Self> = mapping.at(0).cast();
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a leaf.
        let place = unsafe { &raw mut (*leaf.as_ptr()).mapping };
        // SAFETY: `Mapping::reserve` aligned the memory and made it large enough for a leaf.
        let link = unsafe { &raw mut (*leaf.as_ptr()).older };
        // SAFETY: `commit` made the memory writable, and nothing else knows of it.
        unsafe { link.write(older) };
        // SAFETY: `commit` made the memory writable, and nothing else knows of it.
        unsafe { place.write(mapping) };
        // SAFETY: `commit` gave zeroed memory: entries and maps are null, which is invariants 1 and 2. The
        // rest was just written. The mapping is the leaf's own, and no leaf is dropped.
        Ok(unsafe { leaf.as_ref() })
    }
}

impl<E, M> fmt::Debug for AddressTable<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The root is too long to print.
        f.debug_struct("AddressTable").finish_non_exhaustive()
    }
}

impl<E, M> fmt::Debug for Leaf<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Table = AddressTable<u8, u8>;

    #[test]
    fn addresses_beyond_the_root_are_refused_and_lead_to_nothing() {
        let end = 1_usize << (ADDRESS_BITS - 1) << 1;
        assert!(Table::reaches(end.wrapping_sub(1)));
        if end > 0 {
            assert!(Table::reaches(end));
            assert!(!Table::reaches(end + 1));
        }
        assert!(usize::BITS == 32 || !Table::reaches(usize::MAX));
    }
}
