//! What an input says. Numbers are cut to what there is: any bytes are some sequence of actions.

use arbitrary::Arbitrary;

/// One input.
#[derive(Arbitrary, Debug)]
pub struct Input {
    /// Of the family that is registered while the program runs.
    pub layout: LayoutPick,
    pub actions: Vec<Action>,
}

/// Which layout, from a grid: families live for good, so there must not be one for each input.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct LayoutPick {
    pub size: u8,
    pub align: u8,
}

/// One thing to do. `worker` is the thread that does it; blocks are released by the worker that
/// has them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Action {
    /// Allocates blocks of one unit.
    Singles {
        worker: u8,
        family: u8,
        count: Count,
        how: SingleHow,
    },
    /// Releases blocks that lie side by side in the oracle's list.
    Release {
        first: u16,
        count: Count,
        order: Order,
        how: ReleaseHow,
    },
    /// Allocates blocks of any number of units, none included.
    Rows {
        worker: u8,
        family: u8,
        units: Units,
        count: u8,
        how: RowHow,
    },
    /// Releases blocks, and allocates rows of at most an eighth fewer units in their stead: caches
    /// hand out blocks that are somewhat too long.
    Replace {
        first: u16,
        count: u8,
        less: u8,
        how: RowHow,
    },
    /// Asks for more than there can be.
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
    /// Releases a block, and then once more by its address.
    ReleaseTwice {
        pick: u16,
        how: ReleaseHow,
    },
    /// Tries to release what is no block.
    ReleaseBad {
        worker: u8,
        bad: Bad,
    },
    /// Ends a worker; a new thread takes its place, and its blocks.
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

/// How many blocks.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Count {
    One,
    Some(u8),
    Many(u16),
}

impl Count {
    /// Returns at most somewhat more than a cache's stack holds.
    pub fn get(self) -> usize {
        match self {
            Self::One => 1,
            Self::Some(count) => 1 + usize::from(count),
            Self::Many(count) => 1 + usize::from(count % 1_500),
        }
    }
}

/// How many units: what bins keep and somewhat more, what caches keep of long rows and somewhat
/// more, and up to more than any VM page has.
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
    /// The family's bare pointer, taken back into an owner.
    FromRaw,
    /// The family's bare pointer, kept as it is.
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
    /// Moves the values out; the block goes meanwhile or at the end.
    Consume,
    XfreeRaw,
    FamilyRelease,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Order {
    Forward,
    Backward,
    /// Every other one, and then the rest.
    Alternate,
}

/// An address that is not to be released.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Bad {
    /// Inside a live block.
    Inside { pick: u16, offset: u32 },
    /// A live block, told to another family.
    WrongFamily { pick: u16, asked: u8 },
    /// Where a block was released some time ago.
    Old { pick: u8 },
    /// Where a block was released some time ago, told to some family.
    OldOf { pick: u8, asked: u8 },
    /// Some way from a live block, wherever that is.
    Near { pick: u16, offset: i32 },
    /// No page of mm.
    Foreign { address: Foreign },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Foreign {
    Stack,
    Static,
    Low(u16),
    High(u16),
}
