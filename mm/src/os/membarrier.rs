//! A fence on every CPU that runs a thread of the process, asked of the kernel.
//!
//! Source: membarrier(2), `MEMBARRIER_CMD_PRIVATE_EXPEDITED`, Linux 4.14 and later.

#[cfg(all(target_os = "linux", not(mm_portable), not(all(test, loom))))]
mod kernel {
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    const UNKNOWN: u8 = 0;
    const THERE: u8 = 1;
    const MISSING: u8 = 2;

    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether the kernel has the call. Asked once, with the first record: what is known then holds for the
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
        // A thread that asks meanwhile finds the same.
        let is_there = issue(REGISTER_PRIVATE_EXPEDITED);
        let found = if is_there { THERE } else { MISSING };
        let before = KNOWN.compare_exchange(UNKNOWN, found, Relaxed, Relaxed);
        before.map_or_else(|known| known == THERE, |_| is_there)
    }

    /// Has every other thread of the process that runs now execute a fence. False where the kernel refuses: a
    /// filter of system calls may have come since it was asked first.
    pub(crate) fn call() -> bool {
        issue(PRIVATE_EXPEDITED)
    }

    fn issue(command: libc::c_int) -> bool {
        crate::os::section::expect_none("a call of the kernel");
        // SAFETY: the call touches no memory of the process.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(mm_portable), not(all(test, loom)))))]
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
