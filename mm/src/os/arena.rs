//! One reservation of address space, which is cut into runs from the front; runs are never taken back.
//!
//! It is reserved as a whole and committed as the cursor moves, so space without runs costs no memory.

use super::{Lock, Mapping, PageSource, Refused, System};

pub(crate) use super::address_table::GRANULE;

/// Memory is committed in steps of this many bytes: a huge OS page of x86-64, at whose multiples
/// runs of that size start.
pub(super) const STEP: usize = 2 << 20;

/// A reservation, and how far it is used up.
///
/// # Invariants
///
/// 1. Runs lie side by side, at multiples of `GRANULE`, and none has a byte of another.
/// 2. The first granule of `space` and its last OS page are never committed: what is written before
///    the first run or past the last one does not come to what the kernel put beside the arena.
#[derive(Debug)]
pub(crate) struct Arena {
    space: Mapping,
    cursor: Lock<Cursor>,
}

/// How much of an arena is used; offsets in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// Start of the part without runs.
    next: usize,
    /// What is left of the part that runs smaller than a step are cut from: start and end.
    small: (usize, usize),
    /// End of what is committed.
    committed: usize,
}

/// Why an arena gave no run.
pub(super) enum Denied {
    Full,
    Refused,
}

impl Arena {
    /// Bytes of an arena that certainly has room for one run.
    pub(super) fn room_for(bytes: usize, align: usize) -> Option<usize> {
        let bytes = bytes.checked_next_multiple_of(GRANULE)?;
        // Space before the run: its alignment, and the first granule.
        bytes.checked_add(align.max(GRANULE))
    }

    /// Reserves room for `bytes`, rounded up to granules, at a multiple of `align`.
    pub(super) fn reserve(bytes: usize, align: usize) -> Result<Self, Refused> {
        let room = bytes.checked_next_multiple_of(GRANULE).ok_or(Refused)?;
        let whole = room.checked_add(System::page_bytes()).ok_or(Refused)?;
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

    /// End of what is committed, as an offset.
    pub(super) fn committed(&self) -> usize {
        self.cursor.lock().committed
    }

    /// Takes a run of `bytes` at a multiple of `align`; returns its offset.
    ///
    /// Before the arena commits a part, it calls `cover` with its address and its bytes, to make entries for
    /// it.
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

    /// Where a run would go, and the cursor after it.
    fn plan(&self, cursor: Cursor, bytes: usize, align: usize) -> Option<(usize, Cursor)> {
        if bytes < STEP && align < STEP {
            return self.plan_small(cursor, bytes, align);
        }
        let rest = (cursor.next, self.end());
        // Where huge OS pages can back it, if there is room.
        let at_a_step = self.fit(rest, bytes, align.max(STEP));
        let offset = at_a_step.or_else(|| self.fit(rest, bytes, align))?;
        let after = Cursor {
            next: offset + bytes,
            small: longer(cursor.small, (cursor.next, offset)),
            ..cursor
        };
        Some((offset, after))
    }

    /// The same for a run smaller than a step: in the rest of the latest step, up to the next one, in
    /// that, or in all that is left.
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

    /// The first place in a part of the arena for `bytes` at a multiple of `align`.
    fn fit(&self, part: (usize, usize), bytes: usize, align: usize) -> Option<usize> {
        let offset = self.aligned(part.0, align)?;
        (offset.checked_add(bytes)? <= part.1).then_some(offset)
    }

    /// The next offset whose address is a multiple of `align`.
    fn aligned(&self, offset: usize, align: usize) -> Option<usize> {
        let address = self.space.address().checked_add(offset)?;
        Some(address.checked_next_multiple_of(align)? - self.space.address())
    }

    /// End of what runs may take.
    fn end(&self) -> usize {
        self.space.bytes() - System::page_bytes()
    }
}

impl From<Refused> for Denied {
    fn from(Refused: Refused) -> Self {
        Self::Refused
    }
}

fn longer(one: (usize, usize), other: (usize, usize)) -> (usize, usize) {
    if other.1 - other.0 > one.1 - one.0 {
        other
    } else {
        one
    }
}
