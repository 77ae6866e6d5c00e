//! What the kernel says of the whole process.

use core::fmt;
use std::fs::File;
use std::io::Read;

use super::{PageSource, System};

/// Resident bytes of the process, from `/proc/self/statm`; 0 where the system does not say.
///
/// Source: `proc_pid_statm(5)`: the second number counts OS pages.
pub(crate) fn resident_bytes() -> u64 {
    number_in("/proc/self/statm", 1).map_or(0, |pages| (pages * System::page_bytes()) as u64)
}

/// Number `place`, from 0, in a file of the kernel's, read without allocating.
fn number_in(path: &str, place: usize) -> Option<usize> {
    let mut text = [0_u8; 128];
    let length = File::open(path).and_then(|mut file| file.read(&mut text));
    let text = core::str::from_utf8(&text[..length.ok()?]).ok()?;
    text.split_ascii_whitespace().nth(place)?.parse().ok()
}

/// Bytes of memory and swap that the machine has, in use or not. Source: sysinfo(2).
///
/// The kernel's heuristic overcommit refuses a single mapping above it (`overcommit_memory` in
/// proc(5)), but not one without access rights, which is what mm reserves.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn memory_bytes() -> usize {
    static KNOWN: super::lock::OnceLock<usize> = super::lock::OnceLock::new();
    *KNOWN.get_or_init(|| ask_memory_bytes().unwrap_or(usize::MAX))
}

/// Elsewhere the system itself refuses.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn memory_bytes() -> usize {
    usize::MAX
}

#[cfg(all(target_os = "linux", not(mm_portable)))]
fn ask_memory_bytes() -> Option<usize> {
    let mut info = core::mem::MaybeUninit::<libc::sysinfo>::zeroed();
    // SAFETY: `info` has room for what the call fills.
    if unsafe { libc::sysinfo(info.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call filled it, and its fields are integers.
    let info = unsafe { info.assume_init() };
    let units = info.totalram.saturating_add(info.totalswap);
    usize::try_from(units.saturating_mul(u64::from(info.mem_unit))).ok()
}

/// How many mappings a process can have. Source: `max_map_count` in `proc_sys_vm(5)`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn most_mappings() -> usize {
    /// What the kernel has unless it was told otherwise.
    const USUAL: usize = 65_530;
    static KNOWN: super::lock::OnceLock<usize> = super::lock::OnceLock::new();
    *KNOWN.get_or_init(|| number_in("/proc/sys/vm/max_map_count", 0).unwrap_or(USUAL))
}

/// The process's limit of address space in bytes, if it has one. Source: getrlimit(2).
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn address_space_limit() -> Option<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: `limit` is a value of the type the call fills.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    if answer != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return None;
    }
    usize::try_from(limit.rlim_cur).ok()
}

/// Elsewhere no limit is known.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn address_space_limit() -> Option<usize> {
    None
}

/// Has `prepare` called before every fork, and after it `parent` and `child` in the two processes.
///
/// Source: `pthread_atfork(3)`: what was asked for last is called first before the fork, and last
/// after it. Refused without memory; forks then find the locks as they are.
#[cfg(unix)]
pub(crate) fn at_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: the functions take nothing, and are there for as long as this code is.
    let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Elsewhere processes do not fork.
#[cfg(not(unix))]
pub(crate) fn at_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

/// Has `f` called when the process ends by `exit` or at the end of `main`.
///
/// Source: atexit(3). Refused without memory.
#[cfg(unix)]
pub(crate) fn at_exit(f: extern "C" fn()) {
    // SAFETY: the function takes nothing, and is there for as long as this code is.
    let _ = unsafe { libc::atexit(f) };
}

/// Elsewhere nobody is asked.
#[cfg(not(unix))]
pub(crate) fn at_exit(_: extern "C" fn()) {}

/// Ends the process that is ending, with another exit code. What C wrote is still written.
#[cfg(unix)]
pub(crate) fn end_now(code: u8) -> ! {
    // SAFETY: a null pointer stands for all files.
    unsafe { libc::fflush(core::ptr::null_mut()) };
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code.into()) }
}

/// As above.
#[cfg(not(unix))]
pub(crate) fn end_now(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Copies the `bytes` bytes from `address` on, as far as there is memory.
///
/// By the kernel, for which no byte is uninitialised, and no write of another thread a data race.
/// Source: `/proc/pid/mem` in `proc_pid_mem(5)`.
#[cfg(target_os = "linux")]
pub(crate) fn copy_of(address: usize, bytes: usize) -> Box<[u8]> {
    use std::os::unix::fs::FileExt;
    let mut copy = vec![0; bytes];
    let memory = File::open("/proc/self/mem");
    let read = memory.and_then(|memory| memory.read_at(&mut copy, address as u64));
    copy.truncate(read.unwrap_or(0));
    copy.into()
}

/// Elsewhere nobody copies what may be uninitialised.
#[cfg(not(target_os = "linux"))]
pub(crate) fn copy_of(_address: usize, _bytes: usize) -> Box<[u8]> {
    Box::default()
}

/// Writes a line to stderr before the process ends.
///
/// Without the lock of `std::io::stderr`: who has it may wait for a lock of ours, or be a thread
/// that a forked child does not have.
#[cfg(unix)]
pub(crate) fn say_last(what: fmt::Arguments<'_>) {
    use std::os::fd::FromRawFd;
    // SAFETY: 2 is stderr, and it is never closed here. If somebody else did, writes fail.
    let stderr = core::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    // In one write, for lines of several threads not to mix; a closed stderr is no reason to panic.
    crate::print::write_text(&*stderr, format_args!("mm: {what}\n"));
}

/// As above.
#[cfg(not(unix))]
pub(crate) fn say_last(what: fmt::Arguments<'_>) {
    crate::print::write_text(std::io::stderr(), format_args!("mm: {what}\n"));
}
