//! Inputs: sequences of actions. Numbers are reduced to valid ones, so any bytes are an input.

use arbitrary::Arbitrary;

/// One input.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// The layout of the run-time family.
    pub layout: LayoutPick,
    pub actions: Vec<Action>,
}

/// A layout from a grid. Families are never freed, so there must not be one for each input.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct LayoutPick {
    pub size: u8,
    pub align: u8,
}

/// One action. `worker` is the thread that does it. The worker that has a block releases it.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Action {
    /// Allocates blocks of one unit.
    Singles {
        worker: u8,
        family: u8,
        count: Count,
        how: SingleHow,
    },
    /// Releases adjacent blocks of the oracle's list.
    Release {
        first: u16,
        count: Count,
        order: Order,
        how: ReleaseHow,
    },
    /// Allocates blocks of any number of units, including none.
    Rows {
        worker: u8,
        family: u8,
        units: Units,
        count: u8,
        how: RowHow,
    },
    /// Releases blocks, and allocates rows with up to an eighth fewer units: caches hand out blocks that are
    /// slightly too long.
    Replace {
        first: u16,
        count: u8,
        less: u8,
        how: RowHow,
    },
    /// Asks for an impossible number of units.
    Huge {
        worker: u8,
        family: u8,
        shift: u8,
    },
    /// Gives blocks to another worker, which reads and writes them.
    HandOver {
        first: u16,
        count: Count,
        to: u8,
    },
    /// Releases a block twice, the second time by its address.
    ReleaseTwice {
        pick: u16,
        how: ReleaseHow,
    },
    /// Tries to release an address where no block starts.
    ReleaseBad {
        worker: u8,
        bad: Bad,
    },
    /// Ends a worker. A new thread takes over its place and its blocks.
    Restart {
        worker: u8,
    },
    Trim {
        worker: u8,
    },
    Snapshot {
        worker: u8,
    },
    Check,
}

/// A number of blocks.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Count {
    One,
    Some(u8),
    Many(u16),
}

impl Count {
    /// Returns the number, at most slightly more than a cache's stack holds.
    pub fn get(self) -> usize {
        match self {
            Self::One => 1,
            Self::Some(count) => 1 + usize::from(count),
            Self::Many(count) => 1 + usize::from(count % 1_500),
        }
    }
}

/// A number of units: up to slightly more than bins hold, up to slightly more than the lists of rows hold,
/// and up to more than any VM page has.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Units {
    Short(u8),
    Middle(u16),
    Long(u32),
}

impl Units {
    pub fn get(self) -> usize {
        match self {
            Self::Short(units) => usize::from(units % 40),
            Self::Middle(units) => 32 + usize::from(units % 480),
            Self::Long(units) => (units % 70_000) as usize,
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum SingleHow {
    New,
    TryNew,
    /// By the family's raw pointer, which becomes an owner again.
    FromRaw,
    /// By the family's raw pointer.
    Raw,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum RowHow {
    Xcalloc,
    TryXcalloc,
    FromFn,
    TryFromFn,
    Raw,
    RawZeroed,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum ReleaseHow {
    Drop,
    /// Moves the values out. The block is released during that or at its end.
    Consume,
    XfreeRaw,
    FamilyRelease,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Order {
    Forward,
    Backward,
    /// Every second one first.
    Alternate,
}

/// An address that is not to be released.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Bad {
    /// Inside a live block.
    Inside { pick: u16, offset: u32 },
    /// A live block, with another family as argument.
    WrongFamily { pick: u16, asked: u8 },
    /// The address of a block that was released some time ago.
    Old { pick: u8 },
    /// The address of a block that was released some time ago, with some family as argument.
    OldOf { pick: u8, asked: u8 },
    /// An address at some distance from a live block.
    Near { pick: u16, offset: i32 },
    /// An address outside of mm's pages.
    Foreign { address: Foreign },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Foreign {
    Stack,
    Static,
    Low(u16),
    High(u16),
}
