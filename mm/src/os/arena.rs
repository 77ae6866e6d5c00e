//! One reservation of address space, from which runs are allocated front to back and never freed.
//!
//! The whole is reserved at once. Parts are committed as the cursor moves, so space without runs costs no
//! memory.

use super::{Lock, Mapping, PageSource, Refused, System};

pub(crate) use super::address_table::GRANULE;

/// Bytes of a huge OS page of x86-64. Small runs commit memory in steps of this many bytes. Larger ones
/// start at a multiple of it if there is room, so that huge OS pages can back them.
pub(super) const STEP: usize = 2 << 20;

/// A reservation of address space, and the part of it that is allocated to runs.
///
/// # Invariants
///
/// 1. Runs start at multiples of `GRANULE` and do not overlap.
/// 2. The first granule of `space` and its last OS page are never committed. They are guard pages: a write
///    that runs over either end of the arena faults before it reaches the memory beside the arena.
#[derive(Debug)]
pub(crate) struct Arena {
    space: Mapping,
    cursor: Lock<Cursor>,
}

/// A part of an arena: the offsets of its start and its end, in bytes.
type Part = (usize, usize);

/// How much of an arena is used; offsets in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// End of the last run or of `small`, whichever is later: no run lies beyond.
    next: usize,
    /// Free part from which the next runs smaller than a step are allocated.
    small: Part,
    /// End of the committed part.
    committed: usize,
}

/// Why an arena gave no run.
pub(super) enum Denied {
    /// The arena has no free part that is large enough.
    Full,
    /// The kernel gave no memory.
    Refused,
}

impl Arena {
    /// Bytes of an arena in which one run fits wherever the kernel puts the arena.
    pub(super) fn room_for(bytes: usize, align: usize) -> Option<usize> {
        let bytes = bytes.checked_next_multiple_of(GRANULE)?;
        // Space before the run: its alignment, and the first granule.
        bytes.checked_add(align.max(GRANULE))
    }

    /// Reserves an arena of `bytes`, rounded up to granules, at a multiple of `align`.
    pub(super) fn reserve(bytes: usize, align: usize) -> Result<Self, Refused> {
        let granules = bytes.checked_next_multiple_of(GRANULE).ok_or(Refused)?;
        let whole = granules.checked_add(System::page_bytes()).ok_or(Refused)?;
        Ok(Self {
            space: Mapping::reserve(whole, align)?,
            cursor: Lock::new(Cursor {
                next: GRANULE,
                small: (GRANULE, GRANULE),
                committed: GRANULE,
            }),
        })
    }

    /// The reservation.
    pub(crate) fn space(&self) -> &Mapping {
        &self.space
    }

    pub(super) fn cursor(&self) -> &Lock<Cursor> {
        &self.cursor
    }

    /// End of the committed part, as an offset.
    pub(super) fn committed(&self) -> usize {
        self.cursor.lock().committed
    }

    /// Takes a run of `bytes` at a multiple of `align`; returns its offset. Adds the calls into the kernel to
    /// `calls`.
    ///
    /// Before the arena commits memory, it calls `cover` with the address and the bytes of that memory, so that
    /// the caller's address table gets entries for it.
    pub(super) fn take(
        &self,
        bytes: usize,
        align: usize,
        calls: &mut u64,
        cover: impl FnOnce(usize, usize, &mut u64) -> Result<(), Refused>,
    ) -> Result<usize, Denied> {
        let bytes = bytes
            .checked_next_multiple_of(GRANULE)
            .ok_or(Denied::Full)?;
        let mut cursor = self.cursor.lock();
        let (offset, after) = self.plan(*cursor, bytes, align).ok_or(Denied::Full)?;
        let (from, end) = (cursor.committed, after.next);
        if end > from {
            cover(self.space.address() + from, end - from, calls)?;
            *calls += 1;
            self.space.commit(from..end)?;
        }
        *cursor = Cursor {
            committed: from.max(end),
            ..after
        };
        Ok(offset)
    }

    /// Chooses the offset of a new run, and computes the cursor after it.
    fn plan(&self, cursor: Cursor, bytes: usize, align: usize) -> Option<(usize, Cursor)> {
        if bytes < STEP && align < STEP {
            return self.plan_small(cursor, bytes, align);
        }
        let rest = (cursor.next, self.end());
        // Huge OS pages can back a run that starts at a multiple of `STEP`.
        let for_huge_pages = self.fit(rest, bytes, align.max(STEP));
        let offset = for_huge_pages.or_else(|| self.fit(rest, bytes, align))?;
        let after = Cursor {
            next: offset + bytes,
            // Small runs may fill the space that the alignment skipped.
            small: longer(cursor.small, (cursor.next, offset)),
            ..cursor
        };
        Some((offset, after))
    }

    /// Does the same for a run smaller than a step, so that small runs share huge OS pages. It tries these
    /// parts in order: `small`, the rest of the step that `next` is in, the step after it, and all free space.
    fn plan_small(&self, cursor: Cursor, bytes: usize, align: usize) -> Option<(usize, Cursor)> {
        let end = self.end();
        let boundary = self.aligned(cursor.next + 1, STEP)?.min(end);
        let parts = [
            cursor.small,
            (cursor.next, boundary),
            (boundary, end.min(boundary + STEP)),
            (cursor.next, end),
        ];
        let fitting = |part| Some((part, self.fit(part, bytes, align)?));
        let (part, offset) = parts.into_iter().find_map(fitting)?;
        let after = Cursor {
            next: cursor.next.max(part.1),
            small: (offset + bytes, part.1),
            ..cursor
        };
        Some((offset, after))
    }

    /// The first offset in `part` for `bytes` at a multiple of `align`, if they fit.
    fn fit(&self, part: Part, bytes: usize, align: usize) -> Option<usize> {
        let offset = self.aligned(part.0, align)?;
        (offset.checked_add(bytes)? <= part.1).then_some(offset)
    }

    /// The next offset whose address is a multiple of `align`.
    fn aligned(&self, offset: usize, align: usize) -> Option<usize> {
        let address = self.space.address().checked_add(offset)?;
        Some(address.checked_next_multiple_of(align)? - self.space.address())
    }

    /// End of the part that runs may take.
    fn end(&self) -> usize {
        self.space.bytes() - System::page_bytes()
    }
}

impl From<Refused> for Denied {
    fn from(Refused: Refused) -> Self {
        Self::Refused
    }
}

/// The longer of two parts; the first if they are equal.
fn longer(one: Part, other: Part) -> Part {
    if other.1 - other.0 > one.1 - one.0 {
        other
    } else {
        one
    }
}
