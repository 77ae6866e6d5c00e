//! Tests what this kernel really does.
//!
//! Emulators, sandboxes and filters of system calls report success for work that they never do: qemu's
//! user mode for most advice, gVisor for `mincore`. If the kernel reported a discard that it did not do, mm
//! would hand out that memory as zero; if it reported a guard that does not exist, mm would rely on it. So
//! each answer on which something depends is tested once, on a few OS pages of mm. Most tests run with the
//! first reservation, when there is memory for them; tests that few programs need run at the first use.
//!
//! | the kernel reports that | tested by | if it is false |
//! | --- | --- | --- |
//! | new memory can be used, and is zero | [`grants`] | there is no memory for mm |
//! | memory was discarded | [`discards`] | it stays, and is cleared when it must be zero |
//! | a mark makes a page inaccessible | [`marks_guard`] | guards are mappings |
//! | a mapping makes a page inaccessible | [`mappings_guard`] | there are no guards |
//! | memory was moved, a range mapped anew | [`moves`] | memory is copied |
//! | memory backs a page, or not | [`tells_residency`] | resident bytes are unknown |
//! | a page has its own memory, or not | [`page_table_tells`] | the call in the line above is used |
//!
//! Advice on huge pages is a hint: nothing depends on it. Answers that may change, and filters that are
//! installed after the first use, cannot be tested.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::calls::{self, Access, Advice};
use super::{Kernel, annotate, relocate};
use crate::os::pagemap::Pagemap;
use crate::os::{PageSource, Refused, Unmoved, process};

/// OS pages of a [`Trial`]: what is asked of the middle one must not concern the others. Where the
/// machine's pages are larger than those that an emulator shows, it would.
const PAGES: usize = 3;

/// What is in an OS page that was written to.
const WRITTEN: u8 = 0xA5;

/// Whether something is so, once it was tried.
struct Fact(AtomicU8);

const UNKNOWN: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;

static GRANTS: Fact = Fact(AtomicU8::new(UNKNOWN));
static DISCARDS: Fact = Fact(AtomicU8::new(UNKNOWN));
static MARKS_GUARD: Fact = Fact(AtomicU8::new(UNKNOWN));
static MAPPINGS_GUARD: Fact = Fact(AtomicU8::new(UNKNOWN));
static MOVES: Fact = Fact(AtomicU8::new(UNKNOWN));
static TELLS_RESIDENCY: Fact = Fact(AtomicU8::new(UNKNOWN));
static PAGE_TABLE_TELLS: Fact = Fact(AtomicU8::new(UNKNOWN));

/// Tries what is asked with the first reservation.
pub(super) fn begin() {
    grants();
    discards();
}

/// Whether memory can be used once the kernel said so, and is zero at first.
pub(super) fn grants() -> bool {
    // Where it cannot be tried now, memory is short, and nothing speaks against it.
    GRANTS.known_or(try_to_use).unwrap_or(true)
}

/// Whether discarded memory reads as zero, and only that.
pub(super) fn discards() -> bool {
    DISCARDS.known_or(try_to_discard).unwrap_or(false)
}

/// Whether marks in the page table keep everybody out until they are taken away.
pub(super) fn marks_guard() -> bool {
    MARKS_GUARD.known_or(try_marks).unwrap_or(false)
}

/// Whether a mapping without access keeps everybody out.
pub(super) fn mappings_guard() -> bool {
    // Every kernel has done this from its first version on.
    MAPPINGS_GUARD.known_or(try_mappings).unwrap_or(true)
}

/// Whether memory can be moved, and moved ranges be mapped anew.
pub(super) fn moves() -> bool {
    MOVES.known_or(try_to_move).unwrap_or(false)
}

/// Whether the kernel tells apart OS pages that memory backs from others.
pub(super) fn tells_residency() -> bool {
    TELLS_RESIDENCY.known_or(try_residency).unwrap_or(false)
}

/// Whether the page table, where it is shown, does so too.
pub(super) fn page_table_tells() -> bool {
    PAGE_TABLE_TELLS.known_or(try_page_table).unwrap_or(false)
}

impl Fact {
    /// What is known, or else what `attempt` finds out; `None` if it cannot now.
    #[inline]
    fn known_or(&self, attempt: fn() -> Option<bool>) -> Option<bool> {
        #[cfg(test)]
        if super::lies::is_any_told() {
            return attempt();
        }
        match self.0.load(Relaxed) {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => self.find_out(attempt),
        }
    }

    /// Two threads may do it at once, and find the same.
    #[cold]
    fn find_out(&self, attempt: fn() -> Option<bool>) -> Option<bool> {
        let found = attempt()?;
        self.0.store(if found { TRUE } else { FALSE }, Relaxed);
        Some(found)
    }
}

/// A few OS pages that nothing else knows of, and that may not be touched at first.
///
/// # Invariants
///
/// 1. `start` is that of [`PAGES`] OS pages of `page` bytes, which this value owns.
struct Trial {
    start: NonNull<u8>,
    page: usize,
}

impl Trial {
    fn new() -> Option<Self> {
        let page = Kernel::page_bytes();
        let start = calls::map(PAGES * page).ok()?;
        Some(Self { start, page })
    }

    /// As above, and the process may use all of them.
    fn usable() -> Option<Self> {
        let trial = Self::new()?;
        // SAFETY: by invariant 1 the pages are the trial's, and access is only added.
        unsafe { calls::protect(trial.start, PAGES * trial.page, Access::Process) }.ok()?;
        Some(trial)
    }

    /// The first byte of a page.
    fn at(&self, number: usize) -> NonNull<u8> {
        assert!(number < PAGES, "outside of the trial");
        // SAFETY: by invariant 1 the byte is one of the trial's: `number` was compared.
        unsafe { self.start.add(number * self.page) }
    }

    /// The first and the last byte of a page that may be used.
    fn ends(&self, number: usize) -> [NonNull<u8>; 2] {
        let first = self.at(number);
        // SAFETY: by invariant 1 this is the last byte of the same page.
        [first, unsafe { first.add(self.page - 1) }]
    }

    /// # Safety
    ///
    /// 1. The kernel lets the process use the page.
    unsafe fn write(&self, number: usize) {
        for end in self.ends(number) {
            // SAFETY: by invariant 1 the byte is the trial's, and by requirement 1 it may be written.
            // Volatile, for the kernel changes memory behind the compiler's back.
            unsafe { end.write_volatile(WRITTEN) };
        }
    }

    /// # Safety
    ///
    /// 1. The kernel lets the process use the page.
    unsafe fn holds(&self, number: usize, byte: u8) -> bool {
        // SAFETY: by invariant 1 the byte is the trial's, and by requirement 1 it may be read. Volatile,
        // for the kernel changes memory behind the compiler's back.
        let read = |end: NonNull<u8>| unsafe { end.read_volatile() };
        self.ends(number).into_iter().all(|end| read(end) == byte)
    }

    /// Whether the process may write to a page, if the kernel says it. Its ends stay as they are.
    fn is_writable(&self, number: usize) -> Option<bool> {
        // SAFETY: by invariant 1 the byte is inside of the page, which has far more.
        let inside = unsafe { self.at(number).add(64) };
        // SAFETY: by invariant 1 the page is the trial's and `inside` a multiple of 8. Nothing needs what
        // is there: `ends` are all that is looked at.
        unsafe { calls::is_writable(inside) }
    }

    fn protect_middle(&self, access: Access) -> Option<()> {
        // SAFETY: by invariant 1 the page is the trial's. Where access may be missing, `is_writable` asks
        // before a touch.
        unsafe { calls::protect(self.at(1), self.page, access) }.ok()
    }

    fn advise_middle(&self, advice: Advice) -> Option<()> {
        // SAFETY: by invariant 1 the page is the trial's, and only the trial reads it: nothing needs its
        // contents.
        unsafe { calls::advise(self.at(1), self.page, advice) }.ok()
    }

    /// Discards the middle page, also under `mlockall`, which locks new memory. Only there it is
    /// unlocked: a filter of system calls may end a process that makes an unusual one.
    fn discard_middle(&self) -> Option<()> {
        self.advise_middle(Advice::Discard).or_else(|| {
            // SAFETY: by invariant 1 the page is the trial's.
            unsafe { calls::unlock(self.at(1), self.page) };
            self.advise_middle(Advice::Discard)
        })
    }

    /// Moves the middle page of this trial to that of another one.
    fn move_middle(&self, to: &Self) -> Result<(), Unmoved> {
        // SAFETY: by invariant 1 the page and the one behind it are the trial's.
        if !unsafe { relocate::is_movable(self.at(1), self.page) } {
            return Err(Unmoved::Unchanged);
        }
        // SAFETY: by invariant 1 the two pages are those of the trials. Only the trials use them.
        unsafe { relocate::relocate(self.at(1), self.page, to.at(1)) }
    }

    fn renew_middle(&self) -> Option<()> {
        // SAFETY: by invariant 1 the page is the trial's, and only the trial reads it: nothing needs its contents.
        unsafe { calls::map_again(self.at(1), self.page, true) }.ok()
    }

    /// Whether the pages may be used, and hold these bytes.
    fn has(&self, bytes: [u8; PAGES]) -> bool {
        let is_usable = |number| self.is_writable(number) != Some(false);
        // SAFETY: the kernel gave access to the pages, and to `is_usable`, asked before, says nothing else.
        let holds = |number| unsafe { self.holds(number, bytes[number]) };
        (0..PAGES).all(|number| is_usable(number) && holds(number))
    }

    /// Whether the middle page, and no other, keeps everybody out.
    fn is_guarded(&self) -> bool {
        let writable = [0, 1, 2].map(|number| self.is_writable(number));
        writable == [Some(true), Some(false), Some(true)]
    }

    /// Whether everybody may use the middle page again, which is empty or as it was.
    fn is_open(&self) -> bool {
        // SAFETY: `is_writable` is asked before, and said that the page may be used.
        let holds = |byte| unsafe { self.holds(1, byte) };
        self.is_writable(1) == Some(true) && (holds(0) || holds(WRITTEN))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // SAFETY: by invariant 1 the pages are the trial's, and it ends here.
        unsafe { calls::unmap(self.start, PAGES * self.page) };
    }
}

/// Whether the kernel reports correctly that a new page is inaccessible.
fn can_ask_of_access() -> bool {
    let asked = || Trial::new()?.is_writable(1);
    asked() == Some(false)
}

fn try_to_use() -> Option<bool> {
    let trial = Trial::usable()?;
    // Touching an inaccessible page ends the process, so the kernel is asked before.
    let is_usable = |number| trial.is_writable(number) != Some(false);
    // SAFETY: the kernel gave `usable` access, and to `is_usable`, asked before, says nothing else.
    let is_zero = |number| unsafe { trial.holds(number, 0) };
    Some((0..PAGES).all(|number| is_usable(number) && is_zero(number)))
}

fn try_to_discard() -> Option<bool> {
    if !grants() {
        return None;
    }
    let trial = Trial::usable()?;
    // SAFETY: `grants` found that what `Trial::usable` gives may be used.
    (0..PAGES).for_each(|number| unsafe { trial.write(number) });
    if trial.discard_middle().is_none() {
        return Some(false);
    }
    // SAFETY: `grants` found that what `Trial::usable` gives may be used, and advice takes no access.
    let holds = |number, byte| unsafe { trial.holds(number, byte) };
    Some(holds(0, WRITTEN) && holds(2, WRITTEN) && holds(1, 0))
}

fn try_marks() -> Option<bool> {
    // It would complain of the question, and hands all advice on to the kernel.
    if annotate::is_valgrind_there() {
        return Some(true);
    }
    if !grants() || !can_ask_of_access() {
        return None;
    }
    let trial = Trial::usable()?;
    let is_guarded = trial.advise_middle(Advice::InstallGuard).is_some() && trial.is_guarded();
    let is_open = || trial.advise_middle(Advice::RemoveGuard).is_some() && trial.is_open();
    Some(is_guarded && is_open())
}

fn try_mappings() -> Option<bool> {
    if annotate::is_valgrind_there() || !grants() || !can_ask_of_access() {
        return None;
    }
    let trial = Trial::usable()?;
    let is_guarded = trial.protect_middle(Access::Nobody).is_some() && trial.is_guarded();
    let is_open = || trial.protect_middle(Access::Process).is_some() && trial.is_open();
    Some(is_guarded && is_open())
}

fn try_to_move() -> Option<bool> {
    // Valgrind knows nothing of a mapping that stays, and what is accounted would be so for ever.
    if annotate::is_valgrind_there() || !process::overcommits() {
        return Some(false);
    }
    if !grants() {
        return None;
    }
    let (from, to) = (Trial::usable()?, Trial::usable()?);
    // SAFETY: `grants` found that what `Trial::usable` gives may be used.
    (0..PAGES).for_each(|number| unsafe { from.write(number) });
    if let Err(unmoved) = from.move_middle(&to) {
        if unmoved == Unmoved::TargetLost {
            // Its middle page may be another user's.
            core::mem::forget(to);
        }
        return Some(false);
    }
    let is_moved = from.has([WRITTEN, 0, WRITTEN]) && to.has([0, WRITTEN, 0]);
    Some(is_moved && to.renew_middle().is_some() && to.has([0; PAGES]))
}

fn try_residency() -> Option<bool> {
    // SAFETY: `told_by` lends the start of a trial's pages, and as many bytes as it owns of those.
    told_by(|start, answer| unsafe { calls::residency(start, answer) })
}

fn try_page_table() -> Option<bool> {
    // Without a descriptor it cannot be tried now.
    let table = Some(Pagemap::open()).filter(Pagemap::is_open)?;
    told_by(|start, answer| table.look(start, answer))
}

/// Whether `ask` says of the pages of a trial which of them memory backs.
fn told_by(ask: impl FnOnce(NonNull<u8>, &mut [u8]) -> Result<(), Refused>) -> Option<bool> {
    /// What the kernel never answers.
    const UNANSWERED: u8 = 0xFE;
    if !grants() {
        return None;
    }
    // No page of an inaccessible range is backed, even if memory is locked or huge by default.
    let trial = Trial::new()?;
    trial.protect_middle(Access::Process)?;
    // SAFETY: `grants` found that a page may be used once access was given, as `protect_middle` just did.
    unsafe { trial.write(1) };
    let mut answer = [UNANSWERED; PAGES];
    let told = ask(trial.start, &mut answer);
    Some(told.is_ok() && answer.map(|page| page & 1) == [0, 1, 0] && answer[1] != UNANSWERED)
}

#[cfg(test)]
mod tests {
    use super::super::lies::{Lie, lying};
    use super::*;

    /// What is found out, with a lie for each and without.
    fn check(question: fn() -> bool, lies: &[Lie]) {
        for lie in lies {
            assert!(!lying(*lie, question), "{lie:?}");
        }
    }

    #[test]
    fn lies_are_found_out() {
        check(discards, &[Lie::DISCARD, Lie::Access]);
        check(
            marks_guard,
            &[
                Lie::Advice(Advice::InstallGuard),
                Lie::Advice(Advice::RemoveGuard),
                Lie::Access,
            ],
        );
        check(moves, &[Lie::Move, Lie::Renewal, Lie::Access]);
        check(tells_residency, &[Lie::Residency, Lie::Access]);
        check(page_table_tells, &[Lie::PageTable, Lie::Access]);
        check(grants, &[Lie::Access]);
    }

    #[test]
    fn this_kernel_tells_the_truth() {
        assert!(grants() && discards() && moves() && mappings_guard() && tells_residency());
        // Those that have no such marks say so.
        let trial = Trial::usable().expect("address space");
        let has_marks = trial.advise_middle(Advice::InstallGuard).is_some();
        assert_eq!(marks_guard(), has_marks);
        assert_eq!(page_table_tells(), Pagemap::open().is_open());
    }
}
