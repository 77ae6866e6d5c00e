//! The last failure of the calling thread, and how functions of this interface return failures.

use core::cell::Cell;
use core::ffi::c_char;
use core::fmt::Write;
use core::ptr;

use super::out_buffer::OutBuffer;
use super::refused::Refused;
use super::status::mm_status;

std::thread_local! {
    static LAST: Cell<Option<Refused>> = const { Cell::new(None) };
}

// Without a destructor, `LAST` works until the very end of a thread.
const _: () = assert!(!core::mem::needs_drop::<Refused>());

/// Returns the status of the calling thread's last failed call; `MM_OK` if none failed. Calls that
/// succeed leave it unchanged, as they do with `errno`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_last_status() -> mm_status {
    with_last(|last| last.map_or(mm_status::MM_OK, Refused::status))
}

/// Writes a sentence to `text` that says why the calling thread's last failed call failed. It names the
/// family. If no call failed, the text is empty.
///
/// `room` is the size of the buffer `text` in bytes. As with `snprintf`, a sentence that is too long is
/// cut, a zero byte ends it in any case, and the result is the length of the whole sentence. If `text`
/// is `NULL`, nothing is written.
///
/// # Safety
///
/// 1. `text` is null, or `room` bytes can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_last_error(text: *mut c_char, room: usize) -> usize {
    // SAFETY: requirement 1 is that of `OutBuffer::new`, and the buffer is used in this call only.
    let mut out = unsafe { OutBuffer::new(text, room) };
    with_last(|last| {
        if let Some(last) = last {
            // An `OutBuffer` never fails: it cuts the text.
            let _ = write!(out, "{last}");
        }
    });
    out.end()
}

/// Result of a step of this interface. The reason of an error is in `LAST`.
pub(super) type Answer<T> = Result<T, mm_status>;

/// Records why the call fails, and returns the status for it.
#[cold]
pub(super) fn refuse(refused: impl Into<Refused>) -> mm_status {
    let refused = refused.into();
    let status = refused.status();
    LAST.with(|last| last.set(Some(refused)));
    status
}

/// Turns an answer into the result of a function that returns a status.
#[inline]
pub(super) fn status(done: Answer<()>) -> mm_status {
    done.err().unwrap_or(mm_status::MM_OK)
}

/// Turns an answer into the result of a function that returns a pointer.
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

#[cfg(test)]
mod tests {
    use core::alloc::Layout;
    use core::ffi::CStr;

    use super::super::refused::Excerpt;
    use super::*;

    fn last_in(room: usize) -> (usize, String) {
        let mut text = vec![b'#'; room];
        // SAFETY: `text` has `room` bytes that can be written.
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
        // SAFETY: `null_mut` is allowed with no bytes.
        assert_eq!(unsafe { mm_last_error(ptr::null_mut(), 0) }, 8);
        // SAFETY: `null_mut` is allowed with any number.
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
