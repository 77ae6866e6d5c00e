//! In debug builds: detects that the calling thread is inside mm already. That happens only in a signal
//! handler, which could then corrupt a cache that is half changed. Not compiled in models, which run all
//! their threads on one OS thread.

#[cfg(all(debug_assertions, not(all(test, loom))))]
pub(crate) use on::ReentrancyGuard;

#[cfg(not(all(debug_assertions, not(all(test, loom)))))]
pub(crate) use off::ReentrancyGuard;

#[cfg(all(debug_assertions, not(all(test, loom))))]
mod on {
    use core::cell::Cell;
    use core::sync::atomic::{Ordering::SeqCst, compiler_fence};

    use crate::os::process;

    std::thread_local! {
        static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
    }

    /// A call that is not over.
    #[derive(Debug)]
    pub(crate) struct ReentrancyGuard(());

    impl ReentrancyGuard {
        /// Begins a call; ends the process if the thread is in one.
        #[inline]
        pub(crate) fn enter() -> Self {
            if IS_INSIDE.replace(true) {
                interrupted();
            }
            // A handler runs on the same thread, so it is the compiler alone that must not reorder.
            compiler_fence(SeqCst);
            Self(())
        }

        /// Runs `f`, which may call mm itself, in the middle of a call whose state is consistent.
        pub(crate) fn pause<R>(f: impl FnOnce() -> R) -> R {
            IS_INSIDE.set(false);
            let answer = f();
            IS_INSIDE.set(true);
            answer
        }
    }

    impl Drop for ReentrancyGuard {
        #[inline]
        fn drop(&mut self) {
            compiler_fence(SeqCst);
            IS_INSIDE.set(false);
        }
    }

    #[cold]
    fn interrupted() -> ! {
        process::write_last_line(format_args!(
            "a signal handler called mm while it interrupted a call of mm; aborting"
        ));
        std::process::abort();
    }
}

#[cfg(not(all(debug_assertions, not(all(test, loom)))))]
mod off {
    /// A call that is not over; release builds do not keep track.
    #[derive(Debug)]
    pub(crate) struct ReentrancyGuard(());

    impl ReentrancyGuard {
        #[inline]
        pub(crate) fn enter() -> Self {
            Self(())
        }

        #[inline]
        pub(crate) fn pause<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
    }
}
