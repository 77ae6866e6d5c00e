//! The environment that the process was started with.
//!
//! `getenv` is not used: it walks a list that `std::env::set_var`, which is safe up to edition 2021, may
//! change on another thread meanwhile, and std's own lock cannot be taken inside an allocation. Changes
//! that the program makes to its environment are not visible here.

#[cfg(target_os = "linux")]
use std::io::{ErrorKind, Read};

/// Bytes of the longest value that is read.
pub(crate) const LONGEST: usize = 4_096;

/// A value that is longer than the room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// What was noted before `main`.
#[cfg(target_os = "linux")]
enum Noted {
    /// Nothing was noted: this is a library.
    Nothing,
    /// There is no such variable.
    Unset,
    Value(Result<&'static [u8], TooLong>),
}

/// Room for a value, on the caller's stack.
pub(crate) type OutBuffer = [u8; LONGEST];

/// Returns the value of `MM_OPTIONS`, or none in a program with rights that the user who set its
/// environment may lack. Does not allocate, since it is called at mm's first use.
#[cfg(target_os = "linux")]
pub(crate) fn options(room: &mut OutBuffer) -> Option<Result<&[u8], TooLong>> {
    if is_privileged() {
        return None;
    }
    match at_start::noted() {
        Noted::Nothing => of_kernel(at_start::NAME, room),
        Noted::Unset => None,
        Noted::Value(value) => Some(value),
    }
}

/// Returns the value of `MM_OPTIONS`. On other systems this code never allocates through mm, so it can
/// use std, which waits for a thread that changes the environment.
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
/// Source: `AT_SECURE` in getauxval(3). An emulator may not pass the value on, which also reads as 0, so
/// the users are compared too.
#[cfg(target_os = "linux")]
fn is_privileged() -> bool {
    const AT_SECURE: libc::c_ulong = 23;
    // SAFETY: `getauxval` takes any number.
    let is_secure = unsafe { libc::getauxval(AT_SECURE) != 0 };
    is_secure || has_other_user()
}

/// On other systems only the users are compared.
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

/// Other systems grant rights in another way.
#[cfg(not(unix))]
fn is_privileged() -> bool {
    false
}

/// Reads the environment from the kernel: it copies the arguments of `exec`, without a lock of the process
/// and without a data race. Source: `proc_pid_environ(5)`.
#[cfg(target_os = "linux")]
fn of_kernel<'a>(name: &str, room: &'a mut OutBuffer) -> Option<Result<&'a [u8], TooLong>> {
    // Of the thread, not of the process: that of a main thread which has ended is empty.
    let environment = std::fs::File::open("/proc/thread-self/environ").ok()?;
    let length = find(environment, name.as_bytes(), room)?;
    Some(length.map(|length| &room[..length]))
}

/// Looks for `name=value` among texts that end with a zero byte. Copies the first value into the room,
/// and returns its length.
#[cfg(target_os = "linux")]
fn find(mut texts: impl Read, name: &[u8], room: &mut OutBuffer) -> Option<Result<usize, TooLong>> {
    let mut search = Search {
        name,
        at: At::Name(0),
    };
    let mut chunk = [0; 512];
    loop {
        let length = match texts.read(&mut chunk) {
            // The last value needs no zero byte.
            Ok(0) => return search.step(0, room),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        let mut bytes = chunk[..length].iter();
        if let Some(found) = bytes.find_map(|byte| search.step(*byte, room)) {
            return Some(found);
        }
    }
}

/// A search for the value of a name, byte by byte.
#[cfg(target_os = "linux")]
struct Search<'a> {
    name: &'a [u8],
    at: At,
}

/// Where a search is.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
enum At {
    /// This many bytes match the name.
    Name(usize),
    /// In a text of another name.
    Other,
    /// This many bytes of the value are in the room.
    Value(usize),
}

#[cfg(target_os = "linux")]
impl Search<'_> {
    /// Looks at the next byte; returns the value's length at its end.
    fn step(&mut self, byte: u8, room: &mut OutBuffer) -> Option<Result<usize, TooLong>> {
        self.at = match (self.at, byte) {
            (At::Value(length), 0) => return Some(Ok(length)),
            (At::Value(length), byte) => {
                let Some(place) = room.get_mut(length) else {
                    return Some(Err(TooLong));
                };
                *place = byte;
                At::Value(length + 1)
            }
            (_, 0) => At::Name(0),
            (At::Name(length), b'=') if length == self.name.len() => At::Value(0),
            (At::Name(length), byte) if self.name.get(length) == Some(&byte) => {
                At::Name(length + 1)
            }
            _ => At::Other,
        };
        None
    }
}

/// What `MM_OPTIONS` was before `main`, while there is one thread.
#[cfg(target_os = "linux")]
pub(crate) mod at_start {
    use core::ffi::{CStr, c_int};
    use std::sync::OnceLock;

    use super::{LONGEST, Noted, OutBuffer, TooLong};

    /// The variable that mm asks for.
    pub(super) const NAME: &str = "MM_OPTIONS";

    /// A copy, as some programs write over the text to change what `ps` shows of them. Filled by one
    /// thread before there are others, or never.
    static NOTED: OnceLock<Option<Result<Value, TooLong>>> = OnceLock::new();

    struct Value {
        room: OutBuffer,
        length: usize,
    }

    impl Value {
        fn of(text: &[u8]) -> Result<Self, TooLong> {
            let (mut room, length) = ([0; LONGEST], text.len());
            room.get_mut(..length).ok_or(TooLong)?.copy_from_slice(text);
            Ok(Self { room, length })
        }
    }

    /// Reads the environment, if this code is part of the program itself: then it runs before `main`, and
    /// nothing has changed the environment. A library's initialiser may run at any time.
    ///
    /// # Safety
    ///
    /// 1. If this code is part of the program itself, no other thread changes the environment meanwhile.
    pub(crate) unsafe fn note() {
        if is_of_program() {
            // SAFETY: by requirement 1 no other thread changes it, and the value is copied at once.
            let value = unsafe { value() };
            let _ = NOTED.set(value.map(|value| Value::of(value.to_bytes())));
        }
    }

    /// # Safety
    ///
    /// 1. No other thread changes the environment meanwhile, nor for as long as the value is used.
    unsafe fn value<'a>() -> Option<&'a CStr> {
        // SAFETY: `c"MM_OPTIONS"` ends with a zero byte, and by requirement 1 no other thread changes the
        // environment.
        let value = unsafe { libc::getenv(c"MM_OPTIONS".as_ptr()) };
        // SAFETY: a value ends with a zero byte, and by requirement 1 nothing changes it while it is used.
        (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
    }

    /// What was noted.
    pub(super) fn noted() -> Noted {
        match NOTED.get() {
            None => Noted::Nothing,
            Some(None) => Noted::Unset,
            Some(Some(Ok(value))) => Noted::Value(Ok(&value.room[..value.length])),
            Some(Some(Err(TooLong))) => Noted::Value(Err(TooLong)),
        }
    }

    /// Whether this code lies in the program, which the loader lists first, and not in a library.
    fn is_of_program() -> bool {
        /// Stops at the first file, which is the program.
        ///
        /// # Safety
        ///
        /// 1. `info` is the loader's description of a loaded file, as `dl_iterate_phdr` gives it.
        unsafe extern "C" fn first(
            info: *mut libc::dl_phdr_info,
            _: libc::size_t,
            here: *mut libc::c_void,
        ) -> c_int {
            // SAFETY: by requirement 1 the loader lends its description for this call.
            let info = unsafe { &*info };
            let holds_here = || {
                // SAFETY: by requirement 1 there are `dlpi_phnum` headers at `dlpi_phdr`, which stay while
                // the file is loaded; it is not null where this is called.
                let headers = unsafe {
                    core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum))
                };
                let mut loaded = headers
                    .iter()
                    .filter(|header| header.p_type == libc::PT_LOAD);
                // Numbers of the loader's, of this class of machine.
                #[allow(clippy::useless_conversion, reason = "32 bits elsewhere")]
                loaded.any(|header| {
                    let start = u64::from(info.dlpi_addr).wrapping_add(u64::from(header.p_vaddr));
                    (here.addr() as u64).wrapping_sub(start) < u64::from(header.p_memsz)
                })
            };
            if !info.dlpi_phdr.is_null() && holds_here() {
                2
            } else {
                1
            }
        }
        let here = (is_of_program as fn() -> bool as *const ())
            .cast_mut()
            .cast();
        // SAFETY: `dl_iterate_phdr` calls `first` with what it requires, and `first` uses nothing after it
        // returned.
        unsafe { libc::dl_iterate_phdr(Some(first), here) == 2 }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[u8], value: Option<Result<&[u8], TooLong>>) {
        let mut room = [0; LONGEST];
        let found = find(texts, b"MM", &mut room);
        assert_eq!(
            found.map(|found| found.map(|length| &room[..length])),
            value
        );
    }

    #[test]
    fn the_first_value_of_a_name_is_found() {
        check(b"A=1\0MM=track,leaks\0MM=2\0", Some(Ok(b"track,leaks")));
        check(b"MM=\0", Some(Ok(b"")));
        check(b"MM=a=b", Some(Ok(b"a=b")));
        check(b"MMM=1\0xMM=2\0M=3\0MM\0A=MM=4\0", None);
        check(b"", None);
        let far = [[b'x'; 1_000].as_slice(), b"\0MM=far\0"].concat();
        check(&far, Some(Ok(b"far")));
    }

    #[test]
    fn a_value_that_is_too_long_is_none() {
        let long = [b"MM=".as_slice(), &[b'x'; LONGEST]].concat();
        check(&long, Some(Ok(&[b'x'; LONGEST])));
        check(&[long.as_slice(), b"x"].concat(), Some(Err(TooLong)));
    }

    #[test]
    fn the_kernel_says_what_std_says() {
        let mut room = [0; LONGEST];
        let path = std::env::var_os("PATH").expect("set");
        let said = of_kernel("PATH", &mut room);
        assert_eq!(said, Some(Ok(path.as_encoded_bytes())));
        assert_eq!(of_kernel("MM_NO_SUCH_VARIABLE", &mut room), None);
    }
}
