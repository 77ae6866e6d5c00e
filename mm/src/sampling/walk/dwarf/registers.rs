//! Where a walk starts: the registers of the function that asks.

use core::arch::asm;

use framehop::UnwindRegsNative;

use super::memo::Registers;

/// An address of code, and the registers there.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) code: usize,
    pub(super) stack: usize,
    frame: usize,
    #[cfg(target_arch = "aarch64")]
    link: usize,
}

#[allow(
    clippy::inline_always,
    reason = "the registers must be those of the function that calls this"
)]
impl Start {
    /// Reads the registers.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn here() -> Self {
        let (code, stack, frame);
        // SAFETY: each instruction copies a register to one that `out` names; none touches memory or flags.
        unsafe {
            asm!(
                "lea {code}, [rip]",
                "mov {stack}, rsp",
                "mov {frame}, rbp",
                code = out(reg) code,
                stack = out(reg) stack,
                frame = out(reg) frame,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self { code, stack, frame }
    }

    /// Reads the registers.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn here() -> Self {
        let (code, stack, frame, link);
        // SAFETY: each instruction copies a register to one that `out` names; none touches memory or flags.
        unsafe {
            asm!(
                "adr {code}, .",
                "mov {stack}, sp",
                "mov {frame}, x29",
                "mov {link}, x30",
                code = out(reg) code,
                stack = out(reg) stack,
                frame = out(reg) frame,
                link = out(reg) link,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self {
            code,
            stack,
            frame,
            link,
        }
    }

    /// The registers as the unwinder takes them.
    pub(super) fn registers(&self) -> UnwindRegsNative {
        #[cfg(target_arch = "x86_64")]
        return UnwindRegsNative::new(self.code as u64, self.stack as u64, self.frame as u64);
        #[cfg(target_arch = "aarch64")]
        return UnwindRegsNative::new(self.link as u64, self.stack as u64, self.frame as u64);
    }
}

/// What unwinding depends on, besides the address of code: the stack pointer first.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn of(registers: &UnwindRegsNative) -> Registers {
    [registers.sp(), registers.bp(), 0]
}

/// What unwinding depends on, besides the address of code: the stack pointer first.
#[cfg(target_arch = "aarch64")]
#[inline]
pub(super) fn of(registers: &UnwindRegsNative) -> Registers {
    [registers.sp(), registers.fp(), registers.lr()]
}
