//! Extra work of the heap that finds or hinders misuse. It is chosen once, before the first block. If it is
//! off, it costs one test on the slow path only: the fast path needs a cache, and a hardened family has none.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use super::huge::HugePages;
use crate::os::annotate;

/// The byte that fills a poisoned block after its release.
pub(crate) const POISON: u8 = 0xDF;

/// What is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hardening {
    /// Units are handed out in random order.
    pub(crate) random: bool,
    pub(crate) fill: OnRelease,
    /// VM pages and large blocks end with an inaccessible OS page.
    pub(crate) guard: bool,
    /// Bytes of released blocks that each family keeps in quarantine, at most.
    pub(crate) quarantine: usize,
}

/// The fill of a released block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnRelease {
    /// The block stays as it is.
    #[default]
    Nothing,
    Zero,
    /// [`POISON`], which must still be there when the memory is handed out again.
    Poison,
}

/// The choice: flags in the low bits, above them the bytes of the quarantine; 0 before it is made. If two
/// threads choose at once, one word makes sure that one whole choice wins.
static CHOSEN: AtomicU64 = AtomicU64::new(0);

const IS_CHOSEN: u64 = 1;
const IS_ON: u64 = 2;
const RANDOM: u64 = 4;
const ZERO: u64 = 8;
const POISONED: u64 = 16;
const GUARDED: u64 = 32;
const NEVER_HUGE: u64 = 1;
const ALWAYS_HUGE: u64 = 2;
/// Two bits for huge pages. They are not hardening, but are chosen at the same time.
const HUGE_SHIFT: u32 = 6;
const BITS: u32 = 8;

/// Makes the choice; false if it was made before.
pub(crate) fn choose(how: Hardening, huge: HugePages) -> bool {
    let word = packed(how) | number_of(huge) << HUGE_SHIFT;
    let before = CHOSEN.compare_exchange(0, word, Relaxed, Relaxed);
    before.is_ok()
}

/// Whether [`choose`] was called.
pub(crate) fn is_chosen() -> bool {
    CHOSEN.load(Relaxed) != 0
}

/// Whether families are hardened in any way.
#[inline]
pub(in crate::heap) fn is_on() -> bool {
    CHOSEN.load(Relaxed) & IS_ON != 0
}

/// Whether VM pages and large blocks end with a guard.
pub(in crate::heap) fn is_guarded() -> bool {
    CHOSEN.load(Relaxed) & GUARDED != 0
}

/// The choice.
pub(in crate::heap) fn chosen() -> Hardening {
    unpacked(CHOSEN.load(Relaxed))
}

/// Where huge OS pages are to be used.
pub(in crate::heap) fn chosen_huge() -> HugePages {
    match CHOSEN.load(Relaxed) >> HUGE_SHIFT & 3 {
        NEVER_HUGE => HugePages::Never,
        ALWAYS_HUGE => HugePages::Always,
        _ => HugePages::Auto,
    }
}

fn number_of(huge: HugePages) -> u64 {
    match huge {
        HugePages::Auto => 0,
        HugePages::Never => NEVER_HUGE,
        HugePages::Always => ALWAYS_HUGE,
    }
}

/// The word that stands for a choice. A quarantine too large for its bits exceeds any memory, and is cut.
fn packed(how: Hardening) -> u64 {
    let fill = match how.fill {
        OnRelease::Nothing => 0,
        OnRelease::Zero => ZERO,
        OnRelease::Poison => POISONED,
    };
    let is_on = u64::from(how != Hardening::default()) * IS_ON;
    let order = u64::from(how.random) * RANDOM;
    let guard = u64::from(how.guard) * GUARDED;
    let quarantine = (how.quarantine as u64).min(u64::MAX >> BITS);
    quarantine << BITS | IS_CHOSEN | is_on | order | fill | guard
}

fn unpacked(word: u64) -> Hardening {
    Hardening {
        random: word & RANDOM != 0,
        fill: match word & (ZERO | POISONED) {
            0 => OnRelease::Nothing,
            ZERO => OnRelease::Zero,
            _ => OnRelease::Poison,
        },
        guard: word & GUARDED != 0,
        quarantine: usize::try_from(word >> BITS).unwrap_or(usize::MAX),
    }
}

impl OnRelease {
    /// Fills `bytes` bytes from `first` on.
    ///
    /// # Safety
    ///
    /// 1. The bytes are committed memory of one family: of a released block, or of free units.
    /// 2. Nothing else uses them meanwhile: the calling thread owns the block until it goes back to the maps,
    ///    or has the family's lock.
    pub(in crate::heap) unsafe fn apply(self, first: NonNull<u8>, bytes: usize) {
        let byte = match self {
            Self::Nothing => return,
            Self::Zero => 0,
            Self::Poison => POISON,
        };
        // SAFETY: by requirement 1 the bytes may be written, and by requirement 2 nothing else uses them.
        annotate::lend(first, bytes, || unsafe { first.write_bytes(byte, bytes) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_fits_one_word() {
        for fill in [OnRelease::Nothing, OnRelease::Zero, OnRelease::Poison] {
            for (random, quarantine) in [(false, 0), (true, 0), (false, 1), (true, 1 << 40)] {
                let how = Hardening {
                    random,
                    fill,
                    guard: !random,
                    quarantine,
                };
                assert_eq!(unpacked(packed(how)), how);
            }
        }
        let endless = Hardening {
            quarantine: usize::MAX,
            ..Hardening::default()
        };
        assert_eq!(unpacked(packed(endless)).quarantine, usize::MAX >> BITS);
    }
}
