//! Copies of the process's own memory, made by the kernel.
//!
//! Profiles show the first bytes of a live block. Some of them may be uninitialised, and other threads may
//! write to them at the same time, so that a read in Rust would be undefined behaviour. The kernel knows
//! neither uninitialised bytes nor data races.

/// Copies at most `bytes` bytes from `address` on, up to the first one that cannot be read. `None` if no
/// byte can be read.
///
/// There are two ways, because each is refused somewhere: the call in some sandboxes; the file without
/// `/proc`, without a free descriptor, and in a process that is not dumpable.
#[cfg(target_os = "linux")]
pub(crate) fn copy_of(address: usize, bytes: usize) -> Option<Box<[u8]>> {
    let mut copy = vec![0; bytes];
    let read = copy_by_call(address, &mut copy).or_else(|| copy_by_file(address, &mut copy))?;
    copy.truncate(read);
    Some(copy.into())
}

/// Returns `None`: other systems have no way to copy bytes that may be uninitialised.
#[cfg(not(target_os = "linux"))]
pub(crate) fn copy_of(_address: usize, _bytes: usize) -> Option<Box<[u8]>> {
    None
}

/// Returns the number of bytes that were read, if it is not 0. Source: `process_vm_readv(2)`.
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
    // SAFETY: `process_vm_readv` writes to `copy` alone, and no more bytes than it has. Where it cannot read,
    // it returns EFAULT.
    let read = unsafe { libc::process_vm_readv(me, &raw const to, 1, &raw const from, 1, 0) };
    usize::try_from(read).ok().filter(|read| *read > 0)
}

/// Returns the number of bytes that were read, if it is not 0. Source: `proc_pid_mem(5)`.
#[cfg(target_os = "linux")]
fn copy_by_file(address: usize, copy: &mut [u8]) -> Option<usize> {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    let memory = File::open("/proc/self/mem").ok()?;
    let read = memory.read_at(copy, address as u64).ok()?;
    (read > 0).then_some(read)
}
