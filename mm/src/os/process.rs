//! The kernel's figures of the whole process, and what happens at its end.

use core::fmt;
use core::str::SplitAsciiWhitespace;
use std::fs::File;
use std::io::Read;

use super::{PageSource, System};

/// Resident bytes of the process, from `/proc/self/statm`; `None` if the system does not report them.
///
/// Source: `proc_pid_statm(5)`: the second number counts OS pages.
pub(crate) fn resident_bytes() -> Option<u64> {
    let pages = number_in("/proc/self/statm", |words| {
        words.next();
    })?;
    Some((pages * System::page_bytes()) as u64)
}

/// Resident bytes of the process, added up from its mappings. The sum is exact, whereas `statm` may be off
/// by some pages for each CPU. It takes about a hundred nanoseconds for each OS page.
///
/// Source: `proc_pid_smaps(5)`: `Rss` is in KiB.
pub(crate) fn resident_bytes_by_mapping() -> Option<u64> {
    let kib = number_in("/proc/self/smaps_rollup", |words| {
        words.find(|word| *word == "Rss:");
    })?;
    Some((kib as u64) << 10)
}

/// The number in a file of the kernel's behind the words that `pass` passes over, which are among
/// the first. Read without allocating.
fn number_in(path: &str, pass: impl FnOnce(&mut SplitAsciiWhitespace<'_>)) -> Option<usize> {
    let mut text = [0_u8; 256];
    let length = File::open(path).and_then(|mut file| file.read(&mut text));
    let text = core::str::from_utf8(&text[..length.ok()?]).ok()?;
    let mut words = text.split_ascii_whitespace();
    pass(&mut words);
    words.next()?.parse().ok()
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
    // SAFETY: `info` has room for what `sysinfo` fills.
    if unsafe { libc::sysinfo(info.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: `zeroed` made all bytes, `sysinfo` filled them, and the fields are integers.
    let info = unsafe { info.assume_init() };
    let units = info.totalram.saturating_add(info.totalswap);
    let bytes = usize::try_from(units.saturating_mul(u64::from(info.mem_unit))).ok();
    // No machine has none: then the call was accepted, and nothing was filled in.
    bytes.filter(|bytes| *bytes > 0)
}

/// How many mappings a process can have. Source: `max_map_count` in `proc_sys_vm(5)`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn most_mappings() -> usize {
    /// What the kernel has unless it was told otherwise.
    const USUAL: usize = 65_530;
    static KNOWN: super::lock::OnceLock<usize> = super::lock::OnceLock::new();
    *KNOWN.get_or_init(|| number_in("/proc/sys/vm/max_map_count", |_| ()).unwrap_or(USUAL))
}

/// Elsewhere none are counted.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
pub(crate) fn most_mappings() -> usize {
    usize::MAX
}

/// The process's limit of address space in bytes, if it has one. Source: getrlimit(2).
#[cfg(all(target_os = "linux", not(mm_portable)))]
pub(crate) fn address_space_limit() -> Option<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: `limit` is a value of the type that `getrlimit` fills.
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

/// Installs fork handlers: `prepare` runs before every fork, `parent` and `child` after it in the two
/// processes.
///
/// Source: `pthread_atfork(3)`: what was asked for last is called first before the fork, and last
/// after it. Refused without memory; forks then find the locks as they are.
///
/// # Safety
///
/// 1. `parent` and `child` require no more than that the thread which calls them called `prepare`, or is
///    the copy of the one that did.
#[cfg(unix)]
pub(crate) unsafe fn at_fork(
    prepare: extern "C" fn(),
    parent: unsafe extern "C" fn(),
    child: unsafe extern "C" fn(),
) {
    // SAFETY: `pthread_atfork` has the thread that forks call `prepare` and `parent`, and its copy `child`,
    // which by requirement 1 is all that they want. They are there for as long as this code is.
    let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Elsewhere processes do not fork.
///
/// # Safety
///
/// 1. As elsewhere.
#[cfg(not(unix))]
pub(crate) unsafe fn at_fork(
    _: extern "C" fn(),
    _: unsafe extern "C" fn(),
    _: unsafe extern "C" fn(),
) {
}

/// Work for the end of the process, by `exit` or at the end of `main`. It does not panic.
pub(crate) trait AtExit {
    /// Does it. `status` is what the process ends with, where the C library tells.
    ///
    /// # Safety
    ///
    /// 1. The C library calls it as a handler of [`at_exit`], on the thread that ends the process.
    unsafe fn run(status: Option<i32>);
}

/// Has `A` run. Refused without memory.
///
/// Source: `on_exit(3)`, of glibc alone; it tells the status.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn at_exit<A: AtExit>() {
    use core::ffi::{c_int, c_void};
    unsafe extern "C" {
        fn on_exit(f: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn run<A: AtExit>(status: c_int, _: *mut c_void) {
        // SAFETY: only `on_exit` below is given this function, and calls it when the process ends.
        unsafe { A::run(Some(status)) };
    }
    // The library's end, before that of the process, would not take it off the list.
    super::stay_loaded();
    // SAFETY: `run` ignores its argument, and `stay_loaded` keeps it there for as long as the process.
    let _ = unsafe { on_exit(run::<A>, core::ptr::null_mut()) };
}

/// The same. Source: atexit(3), which does not tell the status.
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
pub(crate) fn at_exit<A: AtExit>() {
    extern "C" fn run<A: AtExit>() {
        // SAFETY: only `atexit` below is given this function, and calls it when the process ends.
        unsafe { A::run(None) };
    }
    // SAFETY: `run` takes nothing, and is there for as long as this code is.
    let _ = unsafe { libc::atexit(run::<A>) };
}

/// Other systems have no such call.
#[cfg(not(unix))]
pub(crate) fn at_exit<A: AtExit>() {}

/// Whether the system has the signal, and lets programs handle it. Source: EINVAL in `sigaction(2)`;
/// the C library keeps some for itself.
#[cfg(all(unix, feature = "signal"))]
pub(crate) fn has_signal(signal: i32) -> bool {
    // SAFETY: `zeroed` makes a structure of numbers and of pointers that may be null.
    let mut known = unsafe { core::mem::zeroed() };
    // SAFETY: without a new action `sigaction` writes to `known` alone.
    unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut known) == 0 }
}

/// Ends the process that is ending, with another exit code, and all else that is done at exit.
///
/// glibc goes on with what is still to be called, each once. Source: `__run_exit_handlers`, and
/// NOTES in atexit(3).
///
/// # Safety
///
/// 1. The C library called a handler of [`at_exit`], of which this is the last step, on this thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    // SAFETY: by requirement 1 this is the thread that ends the process, inside of a handler, where glibc
    // lets `exit` be called again.
    unsafe { libc::exit(code.into()) }
}

/// Ends the process that is ending, with another exit code. What C wrote is still written.
///
/// # Safety
///
/// 1. The C library called a handler of [`at_exit`], of which this is the last step, on this thread.
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    // SAFETY: a null pointer given to `fflush` stands for all files.
    unsafe { libc::fflush(core::ptr::null_mut()) };
    // SAFETY: `_exit` may be called at any time, on any thread.
    unsafe { libc::_exit(code.into()) }
}

/// As above.
///
/// # Safety
///
/// 1. The C library called a handler of [`at_exit`], of which this is the last step, on this thread.
#[cfg(not(unix))]
pub(crate) unsafe fn end_now(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Copies the `bytes` bytes from `address` on, as far as there is memory; `None` where nothing can
/// be read.
///
/// By the kernel, for which no byte is uninitialised, and no write of another thread a data race.
/// It has two ways, since each is refused somewhere: the call in some sandboxes, the file without
/// `/proc`, without a free descriptor, and in processes that are not dumpable.
#[cfg(target_os = "linux")]
pub(crate) fn copy_of(address: usize, bytes: usize) -> Option<Box<[u8]>> {
    let mut copy = vec![0; bytes];
    let read = copy_by_call(address, &mut copy).or_else(|| copy_by_file(address, &mut copy))?;
    copy.truncate(read);
    Some(copy.into())
}

/// How many bytes were read, more than none. Source: `process_vm_readv(2)`.
#[cfg(target_os = "linux")]
fn copy_by_call(address: usize, copy: &mut [u8]) -> Option<usize> {
    let bytes = copy.len();
    let part = |base| libc::iovec {
        iov_base: base,
        iov_len: bytes,
    };
    let to = part(copy.as_mut_ptr().cast());
    let from = part(core::ptr::without_provenance_mut(address));
    // SAFETY: `getpid` may be called at any time.
    let me = unsafe { libc::getpid() };
    // SAFETY: `process_vm_readv` writes to `copy` alone, as many bytes as it has, and answers EFAULT where
    // nothing can be read.
    let read = unsafe { libc::process_vm_readv(me, &raw const to, 1, &raw const from, 1, 0) };
    usize::try_from(read).ok().filter(|read| *read > 0)
}

/// The same. Source: `proc_pid_mem(5)`.
#[cfg(target_os = "linux")]
fn copy_by_file(address: usize, copy: &mut [u8]) -> Option<usize> {
    use std::os::unix::fs::FileExt;
    let memory = File::open("/proc/self/mem").ok()?;
    let read = memory.read_at(copy, address as u64).ok()?;
    (read > 0).then_some(read)
}

/// On other systems there is no way to copy bytes that may be uninitialised.
#[cfg(not(target_os = "linux"))]
pub(crate) fn copy_of(_address: usize, _bytes: usize) -> Option<Box<[u8]>> {
    None
}

/// Writes a line to stderr, or drops it if stderr is closed.
///
/// It does not take the lock of `std::io::stderr`: the thread that holds it may wait for a lock or a
/// thread of mm, or may not exist in a forked child.
#[cfg(unix)]
pub(crate) fn write_last_line(what: fmt::Arguments<'_>) {
    use std::os::fd::FromRawFd;
    // SAFETY: 2 is stderr, and `ManuallyDrop` keeps it open. If the program closed it, writes fail or go
    // where the program sent them.
    let stderr = core::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    // In one write, for lines of several threads not to mix; a closed stderr is no reason to panic.
    super::output::write_text(&*stderr, format_args!("mm: {what}\n"));
}

/// As above.
#[cfg(not(unix))]
pub(crate) fn write_last_line(what: fmt::Arguments<'_>) {
    super::output::write_text(std::io::stderr(), format_args!("mm: {what}\n"));
}
