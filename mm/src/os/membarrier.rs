//! A fence on every CPU that runs a thread of the process, asked of the kernel.
//!
//! Source: membarrier(2), `MEMBARRIER_CMD_PRIVATE_EXPEDITED`, Linux 4.14 and later. A process registers once:
//! in 15 microseconds while it has one thread; with more it waits 5 to 14 milliseconds, for the kernel has to
//! see every CPU pass through the scheduler.

#[cfg(all(target_os = "linux", not(mm_portable), not(all(test, loom))))]
mod kernel {
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    const UNKNOWN: u8 = 0;
    const THERE: u8 = 1;
    const MISSING: u8 = 2;

    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether the kernel has the call. It is asked once, with the first record: the answer holds for the
    /// life of the process, and of its forked children.
    #[inline]
    pub(crate) fn is_there() -> bool {
        match KNOWN.load(Relaxed) {
            UNKNOWN => ask(),
            known => known == THERE,
        }
    }

    #[cold]
    fn ask() -> bool {
        // A thread that asks meanwhile gets the same answer.
        let is_there = issue(REGISTER_PRIVATE_EXPEDITED);
        let found = if is_there { THERE } else { MISSING };
        let before = KNOWN.compare_exchange(UNKNOWN, found, Relaxed, Relaxed);
        before.map_or_else(|known| known == THERE, |_| is_there)
    }

    /// Makes every other running thread of the process execute a fence. Returns false if the kernel refuses:
    /// a filter of system calls may have been installed since the first call.
    pub(crate) fn call() -> bool {
        issue(PRIVATE_EXPEDITED)
    }

    fn issue(command: libc::c_int) -> bool {
        crate::os::section::expect_none("a call of the kernel");
        // SAFETY: `SYS_membarrier` touches no memory of the process.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

/// The call in a model: a request that the other threads answer with a fence between any two of their
/// steps, while the caller waits.
#[cfg(all(test, loom))]
pub(crate) mod modelled {
    use core::sync::atomic::AtomicPtr;
    use core::sync::atomic::Ordering::{Relaxed, SeqCst};

    use crate::sync::{AtomicU32, fence, yield_now};

    /// What one execution has instead of a kernel, if its model begins with [`begin`].
    static KERNEL: AtomicPtr<Kernel> = AtomicPtr::new(core::ptr::null_mut());

    /// Of one thread that is asked.
    struct Kernel {
        requested: AtomicU32,
        answered: AtomicU32,
        /// While the thread waits for a lock, and after its last step: what does not run needs no fence.
        is_off: AtomicU32,
    }

    /// Lets there be such a call in this execution.
    pub(crate) fn begin() {
        let kernel = Box::leak(Box::new(Kernel {
            requested: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            is_off: AtomicU32::new(0),
        }));
        KERNEL.store(kernel, Relaxed);
    }

    /// Lets the next execution have none.
    pub(crate) fn end() {
        KERNEL.store(core::ptr::null_mut(), Relaxed);
    }

    fn kernel() -> Option<&'static Kernel> {
        // SAFETY: `KERNEL` is null or what `begin` leaked, which is never freed.
        unsafe { KERNEL.load(Relaxed).as_ref() }
    }

    pub(crate) fn is_there() -> bool {
        kernel().is_some()
    }

    pub(crate) fn call() -> bool {
        let Some(kernel) = kernel() else {
            return false;
        };
        fence(SeqCst);
        let request = kernel.requested.load(Relaxed) + 1;
        kernel.requested.store(request, Relaxed);
        while kernel.answered.load(Relaxed) != request && kernel.is_off.load(Relaxed) == 0 {
            yield_now();
        }
        fence(SeqCst);
        true
    }

    /// What the kernel may do between two steps of the thread that is asked.
    pub(crate) fn model_step() {
        let Some(kernel) = kernel() else {
            return;
        };
        let request = kernel.requested.load(Relaxed);
        if request != kernel.answered.load(Relaxed) {
            fence(SeqCst);
            kernel.answered.store(request, Relaxed);
        }
    }

    /// The thread's last step before it waits for a lock, or ends.
    pub(crate) fn model_stop() {
        if let Some(kernel) = kernel() {
            fence(SeqCst);
            kernel.is_off.store(1, Relaxed);
        }
    }

    /// Its first step after that.
    pub(crate) fn model_resume() {
        if let Some(kernel) = kernel() {
            kernel.is_off.store(0, Relaxed);
        }
    }
}

#[cfg(all(test, loom))]
use modelled as kernel;
#[cfg(all(test, loom))]
pub(crate) use modelled::{model_resume, model_step, model_stop};

/// What models have between two steps of a thread that such a fence may come between. Nothing elsewhere.
#[cfg(not(all(test, loom)))]
mod nothing {
    #[inline]
    pub(crate) fn model_step() {}

    #[inline]
    pub(crate) fn model_stop() {}

    #[inline]
    pub(crate) fn model_resume() {}
}

#[cfg(not(all(test, loom)))]
pub(crate) use nothing::{model_resume, model_step, model_stop};

#[cfg(not(any(all(target_os = "linux", not(mm_portable)), all(test, loom))))]
mod kernel {
    /// There is no such call.
    #[inline]
    pub(crate) fn is_there() -> bool {
        false
    }

    /// Never asked for.
    pub(crate) fn call() -> bool {
        false
    }
}

pub(crate) use kernel::{call, is_there};
