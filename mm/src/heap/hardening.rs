//! What the heap does beyond its work, to find misuse and to hinder it. Chosen once, before the
//! first block; off, it costs a test on the slow path alone, since the fast path needs a cache,
//! and a hardened family has none.

use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// What is in a released block that is poisoned.
pub(crate) const POISON: u8 = 0xDF;

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hardening {
    /// Units are handed out in random order.
    pub(crate) random: bool,
    pub(crate) fill: Fill,
    /// VM pages and large blocks end with an OS page that nobody can touch.
    pub(crate) guard: bool,
    /// Bytes of released blocks that each family keeps from being handed out.
    pub(crate) quarantine: usize,
}

/// What a released block is filled with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fill {
    /// It stays as it is.
    #[default]
    Nothing,
    Zero,
    /// With [`POISON`], which must still be there when the memory is handed out again.
    Poison,
}

/// Bits of what was chosen; 0 before that.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);
/// Bytes of the quarantine. Stored first.
static QUARANTINE: AtomicUsize = AtomicUsize::new(0);

const IS_CHOSEN: usize = 1;
const IS_ON: usize = 2;
const RANDOM: usize = 4;
const ZERO: usize = 8;
const POISONED: usize = 16;
const GUARDED: usize = 32;

/// Chooses; false if that was done before.
pub(crate) fn choose(how: Hardening) -> bool {
    let fill = match how.fill {
        Fill::Nothing => 0,
        Fill::Zero => ZERO,
        Fill::Poison => POISONED,
    };
    let is_on = usize::from(how != Hardening::default()) * IS_ON;
    let order = usize::from(how.random) * RANDOM;
    let guard = usize::from(how.guard) * GUARDED;
    let bits = IS_CHOSEN | is_on | order | fill | guard;
    if is_chosen() {
        return false;
    }
    QUARANTINE.store(how.quarantine, Relaxed);
    CHOSEN.compare_exchange(0, bits, Release, Relaxed).is_ok()
}

/// Whether [`choose`] was called.
pub(crate) fn is_chosen() -> bool {
    CHOSEN.load(Acquire) != 0
}

/// Whether families are hardened in any way.
#[inline]
pub(super) fn is_on() -> bool {
    CHOSEN.load(Relaxed) & IS_ON != 0
}

/// Whether VM pages and large blocks end with a guard.
pub(super) fn is_guarded() -> bool {
    CHOSEN.load(Relaxed) & GUARDED != 0
}

/// What was chosen.
pub(super) fn chosen() -> Hardening {
    let bits = CHOSEN.load(Acquire);
    Hardening {
        random: bits & RANDOM != 0,
        fill: match bits & (ZERO | POISONED) {
            0 => Fill::Nothing,
            ZERO => Fill::Zero,
            _ => Fill::Poison,
        },
        guard: bits & GUARDED != 0,
        quarantine: QUARANTINE.load(Relaxed),
    }
}

impl Fill {
    /// Fills the `bytes` bytes of a block.
    ///
    /// # Safety
    ///
    /// The block is released, and the caller is its owner until it goes back to the maps.
    pub(super) unsafe fn apply(self, first: NonNull<u8>, bytes: usize) {
        let byte = match self {
            Self::Nothing => return,
            Self::Zero => 0,
            Self::Poison => POISON,
        };
        // SAFETY: the caller promises it.
        unsafe { first.write_bytes(byte, bytes) };
    }
}
