//! What the calling thread was refused last.

use core::alloc::Layout;
use core::cell::Cell;
use core::ffi::c_char;
use core::fmt::{self, Display, Write};
use core::ptr;

use super::status::mm_status;
use crate::error::{AllocError, CheckError, FreeError, RegisterError};
use crate::shown::Shown;

/// Why a call was refused. It becomes a sentence when somebody asks for it.
#[derive(Debug)]
pub(super) enum Refused {
    Alloc(AllocError),
    Free(FreeError),
    Register(RegisterError),
    Check(CheckError),
    /// What is wrong with an argument.
    Argument(&'static str),
    Unknown(Excerpt),
    Ambiguous(Excerpt),
    /// A type that is not the family's.
    OtherType {
        family: &'static str,
        units: Layout,
        size: usize,
        align: usize,
    },
}

/// The first bytes of a text, all of it if it is not long.
#[derive(Debug)]
pub(super) struct Excerpt {
    bytes: [u8; 128],
    length: usize,
}

std::thread_local! {
    static LAST: Cell<Option<Refused>> = const { Cell::new(None) };
}

// So that a thread has it until its very end.
const _: () = assert!(!core::mem::needs_drop::<Refused>());

/// Returns what the calling thread's last refused call came to; `MM_OK` if none was refused. Calls that
/// succeed leave it as it is, as they do `errno`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_last_status() -> mm_status {
    with_last(|last| last.map_or(mm_status::MM_OK, Refused::status))
}

/// Writes the sentence that says why the calling thread's last refused call was refused, with the
/// name of the family, into the `room` bytes at `text`; an empty one if none was refused.
///
/// As `snprintf` does, it cuts the sentence where there is no room, ends it with a zero byte in any
/// case, and returns how long it is as a whole. `text` may be `NULL` if `room` is 0.
///
/// # Safety
///
/// 1. `text` is null, or `room` bytes there may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_last_error(text: *mut c_char, room: usize) -> usize {
    // SAFETY: requirement 1 is that of `OutBuffer::new`, and the room ends with this call.
    let mut room = unsafe { OutBuffer::new(text, room) };
    with_last(|last| {
        if let Some(last) = last {
            // The room takes all there is.
            let _ = write!(room, "{last}");
        }
    });
    room.end()
}

/// What a function of this face comes to; of a refusal the reason is remembered.
pub(super) type Answer<T> = Result<T, mm_status>;

/// Remembers why a call is refused; what it comes to.
#[cold]
pub(super) fn refuse(refused: impl Into<Refused>) -> mm_status {
    let refused = refused.into();
    let status = refused.status();
    LAST.with(|last| last.set(Some(refused)));
    status
}

/// What a call returns that does something.
#[inline]
pub(super) fn status(done: Answer<()>) -> mm_status {
    done.err().unwrap_or(mm_status::MM_OK)
}

/// What a call returns that makes or finds something.
#[inline]
pub(super) fn pointer<T>(made: Answer<*mut T>) -> *mut T {
    made.unwrap_or(ptr::null_mut())
}

fn with_last<R>(f: impl FnOnce(Option<&Refused>) -> R) -> R {
    LAST.with(|last| {
        let refused = last.take();
        let answer = f(refused.as_ref());
        last.set(refused);
        answer
    })
}

impl Refused {
    fn status(&self) -> mm_status {
        match self {
            Self::Alloc(error) => error.into(),
            Self::Free(error) => error.into(),
            Self::Register(error) => error.into(),
            Self::Check(_) => mm_status::MM_INCONSISTENT,
            Self::Argument(_) => mm_status::MM_BAD_ARGUMENT,
            Self::Unknown(_) => mm_status::MM_UNKNOWN_NAME,
            Self::Ambiguous(_) => mm_status::MM_AMBIGUOUS_NAME,
            Self::OtherType { .. } => mm_status::MM_BAD_LAYOUT,
        }
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alloc(error) => error.fmt(f),
            Self::Free(error) => error.fmt(f),
            Self::Register(error) => error.fmt(f),
            Self::Check(error) => error.fmt(f),
            Self::Argument(what) => f.write_str(what),
            Self::Unknown(name) => write!(f, "no page family is called `{name}`"),
            Self::Ambiguous(name) => write!(
                f,
                "several page families are called `{name}`; their paths tell them apart"
            ),
            Self::OtherType {
                family,
                units,
                size,
                align,
            } => write!(
                f,
                "units of page family `{}` have {} bytes aligned to {}, and the type has {size} aligned to {align}",
                Shown(family),
                units.size(),
                units.align(),
            ),
        }
    }
}

impl From<AllocError> for Refused {
    fn from(error: AllocError) -> Self {
        Self::Alloc(error)
    }
}

impl From<FreeError> for Refused {
    fn from(error: FreeError) -> Self {
        Self::Free(error)
    }
}

impl From<RegisterError> for Refused {
    fn from(error: RegisterError) -> Self {
        Self::Register(error)
    }
}

impl From<CheckError> for Refused {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl Excerpt {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 128];
        let length = text.len().min(bytes.len());
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length }
    }
}

impl Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes[..self.length].utf8_chunks() {
            write!(f, "{}", Shown(chunk.valid()))?;
        }
        let is_cut = self.length == self.bytes.len();
        f.write_str(if is_cut { ".." } else { "" })
    }
}

/// Room of a C program for a text.
///
/// # Invariants
///
/// 1. `bytes` bytes at `text` may be written.
struct OutBuffer {
    text: *mut c_char,
    bytes: usize,
    /// Bytes of the text so far, written or not.
    length: usize,
}

impl OutBuffer {
    /// # Safety
    ///
    /// 1. `text` is null, or `room` bytes there may be written for as long as the room is used.
    unsafe fn new(text: *mut c_char, room: usize) -> Self {
        Self {
            text,
            bytes: if text.is_null() { 0 } else { room },
            length: 0,
        }
    }

    /// Ends the text, and says how long it is.
    fn end(self) -> usize {
        if let Some(last) = self.bytes.checked_sub(1) {
            self.put(self.length.min(last), 0);
        }
        self.length
    }

    fn put(&self, place: usize, byte: u8) {
        if place < self.bytes {
            // SAFETY: `place` is below `bytes`, and by invariant 1 the byte there may be written.
            unsafe { self.text.wrapping_add(place).cast::<u8>().write(byte) };
        }
    }
}

impl Write for OutBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.put(self.length, byte);
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;

    use super::*;

    fn last_in(room: usize) -> (usize, String) {
        let mut text = vec![b'#'; room];
        // SAFETY: `text` has `room` bytes, which may be written.
        let length = unsafe { mm_last_error(text.as_mut_ptr().cast(), room) };
        let text = CStr::from_bytes_until_nul(&text).expect("an end");
        (length, text.to_str().expect("text").into())
    }

    #[test]
    fn a_sentence_is_cut_as_snprintf_does() {
        refuse(Refused::Argument("eight ch"));
        assert_eq!(last_in(20), (8, "eight ch".into()));
        assert_eq!(last_in(9), (8, "eight ch".into()));
        assert_eq!(last_in(8), (8, "eight c".into()));
        assert_eq!(last_in(1), (8, String::new()));
        // SAFETY: `null_mut` may be given, and there is no room either.
        assert_eq!(unsafe { mm_last_error(ptr::null_mut(), 0) }, 8);
        // SAFETY: `null_mut` may be given, whatever number stands beside it.
        assert_eq!(unsafe { mm_last_error(ptr::null_mut(), 7) }, 8);
    }

    #[test]
    fn each_thread_has_its_own() {
        refuse(Refused::Argument("mine"));
        let other = std::thread::spawn(|| (mm_last_status(), last_in(9)));
        let other = other.join().expect("no panic");
        assert_eq!(other, (mm_status::MM_OK, (0, String::new())));
        assert_eq!(mm_last_status(), mm_status::MM_BAD_ARGUMENT);
    }

    #[test]
    fn a_long_name_is_cut_and_a_whole_one_is_not() {
        refuse(Refused::Unknown(Excerpt::of(&[b'x'; 127])));
        assert!(last_in(300).1.ends_with(&format!("`{}`", "x".repeat(127))));
        refuse(Refused::Unknown(Excerpt::of(&[b'x'; 300])));
        assert!(
            last_in(300)
                .1
                .ends_with(&format!("`{}..`", "x".repeat(128)))
        );
        assert_eq!(mm_last_status(), mm_status::MM_UNKNOWN_NAME);
    }

    #[test]
    fn a_name_that_others_chose_is_shown() {
        refuse(Refused::Unknown(Excerpt::of(b"a\nmm: forged \x1b[31m")));
        assert!(last_in(300).1.ends_with(r"`a\nmm: forged \u{1b}[31m`"));
        let units = Layout::new::<u64>();
        refuse(Refused::OtherType {
            family: "a\nmm: forged \x1b[31m",
            units,
            size: 1,
            align: 1,
        });
        assert!(
            last_in(300)
                .1
                .contains(r"`a\nmm: forged \u{1b}[31m` have 8 bytes")
        );
    }
}
