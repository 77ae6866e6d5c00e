//! In debug builds: marks sections in which other threads may wait for the calling thread without a lock.
//! There it must neither wait nor call the kernel nor run user code. See the biased lock of `heap::cache`.
//! Not compiled in models, which run all their threads on one OS thread.

#[cfg(all(debug_assertions, not(all(test, loom))))]
pub(crate) use on::{begin, end, expect_none};

#[cfg(not(all(debug_assertions, not(all(test, loom)))))]
pub(crate) use off::{begin, end, expect_none};

#[cfg(all(debug_assertions, not(all(test, loom))))]
mod on {
    use core::cell::Cell;

    std::thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }

    /// Begins a section of the calling thread; they may lie in one another.
    #[inline]
    pub(crate) fn begin() {
        DEPTH.set(DEPTH.get() + 1);
    }

    /// Ends it.
    #[inline]
    pub(crate) fn end() {
        DEPTH.set(DEPTH.get() - 1);
    }

    /// Ends the process if the calling thread is in a section.
    #[inline]
    pub(crate) fn expect_none(what: &str) {
        if DEPTH.get() != 0 {
            // Not again in what is said below.
            DEPTH.set(0);
            unexpected(what);
        }
    }

    #[cold]
    fn unexpected(what: &str) -> ! {
        crate::os::process::write_last_line(format_args!(
            "{what} inside of a section, where no thread may wait; aborting"
        ));
        std::process::abort();
    }
}

#[cfg(not(all(debug_assertions, not(all(test, loom)))))]
mod off {
    #[inline]
    pub(crate) fn begin() {}

    #[inline]
    pub(crate) fn end() {}

    #[inline]
    pub(crate) fn expect_none(_: &str) {}
}
