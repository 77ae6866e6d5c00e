//! In tests: a page source that refuses some of the calls this thread makes.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{Guard, PageSource, Refused, Unmoved};

/// Passes calls on to `S`, but for those that [`refusing`] and the like picked.
#[derive(Debug)]
pub(crate) struct Faulty<S>(PhantomData<S>);

/// Kinds of calls into the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Address space: `mmap`.
    Reserve,
    /// Access: `mprotect`.
    Commit,
    /// To take memory back, to use huge pages, to guard: `madvise`.
    Advise,
    /// To move memory, and to map moved ranges anew: `mremap`, `mmap`.
    Move,
    /// What is resident: `PAGEMAP_SCAN`, `mincore`.
    Ask,
}

/// Which calls of a thread are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Calls of this kind; `None`: of any.
    pub(crate) call: Option<Call>,
    /// This one of them, from 0.
    pub(crate) nth: usize,
    /// And every later one.
    pub(crate) lasting: bool,
}

/// All calls that were refused in this process.
pub(crate) static INJECTED: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    /// What is refused, if anything.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };

    /// Calls of the fault's kind so far.
    static CALLS: Cell<usize> = const { Cell::new(0) };

    /// Bytes above which nothing is reserved or committed.
    static MOST_BYTES: Cell<usize> = const { Cell::new(usize::MAX) };

    /// Bytes below which nothing is reserved or committed.
    static LEAST_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Runs `f` while this thread can reserve and commit no less than `bytes` at a time.
pub(crate) fn refusing_below<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    LEAST_BYTES.set(bytes);
    let result = f();
    LEAST_BYTES.set(0);
    result
}

/// Runs `f` while this thread can reserve and commit no more than `bytes` at a time.
pub(crate) fn refusing_above<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    MOST_BYTES.set(bytes);
    let result = f();
    MOST_BYTES.set(usize::MAX);
    result
}

/// Runs `f` while call number `nth` of this thread (from 0) is refused, and every later one.
///
/// Returns what `f` returned, and whether any call was refused.
pub(crate) fn failing_at<R>(nth: usize, f: impl FnOnce() -> R) -> (R, bool) {
    let fault = Fault {
        call: None,
        nth,
        lasting: true,
    };
    refusing(fault, f)
}

/// Runs `f` while this thread meets `fault`.
///
/// Returns what `f` returned, and whether any call was refused.
pub(crate) fn refusing<R>(fault: Fault, f: impl FnOnce() -> R) -> (R, bool) {
    refuse_from_now_on(Some(fault));
    let result = f();
    refuse_from_now_on(None);
    (result, CALLS.get() > fault.nth)
}

/// Has this thread meet `fault`, at its end too.
pub(crate) fn refuse_from_now_on(fault: Option<Fault>) {
    if fault.is_some() {
        CALLS.set(0);
    }
    FAULT.set(fault);
}

fn check_bytes(call: Call, bytes: usize) -> Result<(), Refused> {
    if bytes > MOST_BYTES.get() || bytes < LEAST_BYTES.get() {
        return Err(Refused);
    }
    check(call)
}

fn check(call: Call) -> Result<(), Refused> {
    let picks = |fault: &Fault| fault.call.is_none_or(|picked| picked == call);
    let Some(fault) = FAULT.get().filter(picks) else {
        return Ok(());
    };
    let number = CALLS.replace(CALLS.get() + 1);
    if number == fault.nth || fault.lasting && number > fault.nth {
        INJECTED.fetch_add(1, Relaxed);
        return Err(Refused);
    }
    Ok(())
}

// SAFETY: a call of `Faulty` does what `S` does, whose requirements 1 to 4 of `PageSource` hold, or it is
// refused and does nothing.
unsafe impl<S: PageSource> PageSource for Faulty<S> {
    type Look = S::Look;

    const FIRST_ARENA: usize = S::FIRST_ARENA;
    const LARGEST_ARENA: usize = S::LARGEST_ARENA;

    fn page_bytes() -> usize {
        S::page_bytes()
    }

    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused> {
        check_bytes(Call::Reserve, bytes)?;
        S::reserve(bytes, align)
    }

    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, align: usize) {
        // SAFETY: requirements 1 and 2 are those of `S::unreserve`.
        unsafe { S::unreserve(start, bytes, align) };
    }

    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check_bytes(Call::Commit, bytes)?;
        // SAFETY: requirement 1 is that of `S::commit`, of the same range.
        unsafe { S::commit(start, bytes) }
    }

    fn can_discard() -> bool {
        S::can_discard()
    }

    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check(Call::Advise)?;
        // SAFETY: requirements 1 and 2 are those of `S::discard`.
        unsafe { S::discard(start, bytes) }
    }

    unsafe fn can_relocate(start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: requirements 1 and 2 are those of `S::can_relocate`, of the same range.
        unsafe { S::can_relocate(start, bytes) }
    }

    unsafe fn relocate(from: NonNull<u8>, bytes: usize, to: NonNull<u8>) -> Result<(), Unmoved> {
        check(Call::Move).map_err(|Refused| Unmoved::Unchanged)?;
        // The second of the two ways to fail.
        check(Call::Move).map_err(|Refused| Unmoved::TargetLost)?;
        // SAFETY: requirements 1 and 2 are those of `S::relocate`, of the same ranges.
        unsafe { S::relocate(from, bytes, to) }
    }

    unsafe fn renew(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check(Call::Move)?;
        // SAFETY: requirements 1 and 2 are those of `S::renew`, of the same range.
        unsafe { S::renew(start, bytes) }
    }

    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<Guard, Refused> {
        check(Call::Advise)?;
        // SAFETY: requirements 1 and 2 are those of `S::guard`.
        unsafe { S::guard(start, bytes) }
    }

    unsafe fn unguard(start: NonNull<u8>, bytes: usize, how: Guard) -> Result<(), Refused> {
        check(Call::Advise)?;
        // SAFETY: requirement 1 is that of `S::unguard`, of the same range.
        unsafe { S::unguard(start, bytes, how) }
    }

    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool) {
        // A refusal of what was only a wish has no answer.
        if check(Call::Advise).is_err() {
            return;
        }
        // SAFETY: requirement 1 is that of `S::prefer_huge`, of the same range.
        unsafe { S::prefer_huge(start, bytes, wanted) };
    }

    unsafe fn begin_small(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check(Call::Advise)?;
        // SAFETY: requirements 1 and 2 are those of `S::begin_small`.
        unsafe { S::begin_small(start, bytes) }
    }

    fn look() -> S::Look {
        S::look()
    }

    fn tells_zeros(look: &S::Look) -> bool {
        S::tells_zeros(look)
    }

    unsafe fn resident(
        look: &S::Look,
        start: NonNull<u8>,
        pages: &mut [u8],
    ) -> Result<(), Refused> {
        check(Call::Ask)?;
        // SAFETY: requirement 1 is that of `S::resident`, of the same range.
        unsafe { S::resident(look, start, pages) }
    }
}
