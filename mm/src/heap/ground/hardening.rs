//! Extra work of the heap that finds or hinders misuse. It is chosen before the first block: once for typed
//! blocks, and once for untyped ones, since [`Global`](crate::Global) allocates before `main` can choose. If it
//! is off, it costs one test on the slow path only: the fast path needs a cache, and a hardened family has none.

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

/// Whether the blocks of a family have a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Values of one type, or of one registered name.
    Typed,
    /// Whatever [`Global`](crate::Global) is asked for.
    Untyped,
}

/// The choices, by [`Contents`]: flags in the low bits, above them the bytes of the quarantine; 0 before it is
/// made. If two threads choose at once, one word makes sure that one whole choice wins.
static CHOSEN: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

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

/// Makes a choice; false if it was made before.
pub(crate) fn choose(contents: Contents, how: Hardening, huge: HugePages) -> bool {
    let word = packed(how) | number_of(huge) << HUGE_SHIFT;
    let before = CHOSEN[contents as usize].compare_exchange(0, word, Relaxed, Relaxed);
    before.is_ok()
}

/// The choice; `None` before it is made.
pub(crate) fn choice(contents: Contents) -> Option<Hardening> {
    let word = contents.chosen();
    (word != 0).then(|| unpacked(word))
}

impl Contents {
    pub(crate) const ALL: [Self; 2] = [Self::Typed, Self::Untyped];

    fn chosen(self) -> u64 {
        CHOSEN[self as usize].load(Relaxed)
    }

    /// Whether families are hardened in any way.
    #[inline]
    pub(in crate::heap) fn are_hardened(self) -> bool {
        self.chosen() & IS_ON != 0
    }

    /// Whether VM pages and large blocks end with a guard.
    pub(in crate::heap) fn are_guarded(self) -> bool {
        self.chosen() & GUARDED != 0
    }

    /// How families are hardened.
    pub(in crate::heap) fn hardening(self) -> Hardening {
        unpacked(self.chosen())
    }
}

/// Whether any family has guards.
pub(in crate::heap) fn is_any_guarded() -> bool {
    Contents::Typed.are_guarded() || Contents::Untyped.are_guarded()
}

/// Where huge OS pages are to be used. Typed and untyped memory share the address space, so the choice for
/// typed memory, which is made later, replaces the other.
pub(in crate::heap) fn chosen_huge() -> HugePages {
    let word = match Contents::Typed.chosen() {
        0 => Contents::Untyped.chosen(),
        typed => typed,
    };
    match word >> HUGE_SHIFT & 3 {
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

impl Hardening {
    /// What this protects from and `other` does not.
    pub(crate) fn beyond(self, other: Self) -> Self {
        let is_covered = self.fill == other.fill || other.fill == OnRelease::Poison;
        Self {
            random: self.random && !other.random,
            fill: if is_covered {
                OnRelease::Nothing
            } else {
                self.fill
            },
            guard: self.guard && !other.guard,
            quarantine: if self.quarantine > other.quarantine {
                self.quarantine
            } else {
                0
            },
        }
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
