//! The environment that the process was started with. Changes that the program makes are not visible here.
//!
//! `getenv` walks a list without a lock. On another thread `std::env::set_var`, which is safe up to edition
//! 2021, may change that list meanwhile. std has a lock for this, but mm cannot take it inside an
//! allocation. So on Linux mm reads the environment in one of two other ways:
//!
//! | file | job |
//! | --- | --- |
//! | `at_start.rs` | in a program: notes the value before `main`, while there is one thread |
//! | `search.rs` | in a library: finds the value in the kernel's copy |

#[cfg(target_os = "linux")]
pub(crate) mod at_start;
#[cfg(target_os = "linux")]
mod search;

#[cfg(target_os = "linux")]
use core::ffi::CStr;

#[cfg(target_os = "linux")]
use at_start::Noted;

/// The variable that mm reads.
#[cfg(target_os = "linux")]
const NAME: &CStr = c"MM_OPTIONS";

/// The most bytes of a value.
pub(crate) const LONGEST: usize = 4_096;

/// The value is longer than [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Room for a value. The caller has it on its stack.
pub(crate) type OutBuffer = [u8; LONGEST];

/// Returns the value of `MM_OPTIONS`. Returns `None` in a program with rights that the user who set its
/// environment may lack. It does not allocate, because it is called when mm is first used.
#[cfg(target_os = "linux")]
pub(crate) fn options(room: &mut OutBuffer) -> Option<Result<&[u8], TooLong>> {
    if is_privileged() {
        return None;
    }
    match at_start::noted() {
        Noted::Nothing => of_kernel(NAME, room),
        Noted::Unset => None,
        Noted::Value(value) => Some(value),
    }
}

/// Returns the value of `MM_OPTIONS`. Returns `None` in a program with rights that the user who set its
/// environment may lack. On other systems this code never allocates through mm, so it can use std, which
/// waits while another thread changes the environment.
#[cfg(not(target_os = "linux"))]
pub(crate) fn options(room: &mut OutBuffer) -> Option<Result<&[u8], TooLong>> {
    if is_privileged() {
        return None;
    }
    let value = std::env::var_os("MM_OPTIONS")?;
    let value = value.as_encoded_bytes();
    let copy = room.get_mut(..value.len()).map(|room| {
        room.copy_from_slice(value);
        &*room
    });
    Some(copy.ok_or(TooLong))
}

/// Whether the program has rights that the user who started it lacks, such as a set-user-ID program.
/// Source: `AT_SECURE` in getauxval(3). If an emulator does not pass the value on, it reads as 0, so the
/// users are compared, too.
#[cfg(target_os = "linux")]
fn is_privileged() -> bool {
    const AT_SECURE: libc::c_ulong = 23;
    // SAFETY: `getauxval` takes any number.
    let is_secure = unsafe { libc::getauxval(AT_SECURE) != 0 };
    is_secure || has_other_user()
}

/// Whether the program has rights that the user who started it lacks. On other systems only the users are
/// compared.
#[cfg(all(unix, not(target_os = "linux")))]
fn is_privileged() -> bool {
    has_other_user()
}

/// Whether the real and the effective user, or group, differ.
#[cfg(unix)]
fn has_other_user() -> bool {
    // SAFETY: `getuid` and `geteuid` always succeed.
    let is_other_user = unsafe { libc::getuid() } != unsafe { libc::geteuid() };
    // SAFETY: `getgid` and `getegid` always succeed.
    is_other_user || unsafe { libc::getgid() } != unsafe { libc::getegid() }
}

/// Returns false: other systems grant rights in another way.
#[cfg(not(unix))]
fn is_privileged() -> bool {
    false
}

/// Reads a variable from the kernel, which has the environment that was passed to `exec`. The kernel copies
/// it without a lock of the process and without a data race. Source: `proc_pid_environ(5)`.
#[cfg(target_os = "linux")]
fn of_kernel<'a>(name: &CStr, room: &'a mut OutBuffer) -> Option<Result<&'a [u8], TooLong>> {
    // The file of the thread: that of the process is empty once the main thread has ended.
    let environment = std::fs::File::open("/proc/thread-self/environ").ok()?;
    let length = search::find(environment, name.to_bytes(), room)?;
    Some(length.map(|length| &room[..length]))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_std_says() {
        let mut room = [0; LONGEST];
        let path = std::env::var_os("PATH").expect("set");
        let said = of_kernel(c"PATH", &mut room);
        assert_eq!(said, Some(Ok(path.as_encoded_bytes())));
        assert_eq!(of_kernel(c"MM_NO_SUCH_VARIABLE", &mut room), None);
    }
}
