//! Whether the system backs memory with huge OS pages without a request.

use super::lock::OnceLock;

/// Which memory the system backs with huge OS pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(target_os = "linux", not(mm_portable))),
    allow(dead_code, reason = "only Linux says which")
)]
enum Setting {
    None,
    OfWhoAsks,
    All,
}

/// Whether new memory gets huge OS pages unless the program requests small ones.
pub(crate) fn are_usual() -> bool {
    setting() == Setting::All
}

/// Whether memory gets huge OS pages on request.
pub(crate) fn may_be_asked_for() -> bool {
    setting() != Setting::None
}

/// Looked up once.
fn setting() -> Setting {
    static KNOWN: OnceLock<Setting> = OnceLock::new();
    #[cfg(test)]
    if let Some(pretended) = PRETENDED.get() {
        return pretended;
    }
    *KNOWN.get_or_init(ask)
}

/// The word in brackets is the current setting. If the file is missing, there may still be such pages: a
/// sandbox may hide the kernel's files.
///
/// Source: the kernel's `Documentation/admin-guide/mm/transhuge.rst`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn ask() -> Setting {
    use std::io::Read;

    let mut text = [0_u8; 64];
    let file = std::fs::File::open("/sys/kernel/mm/transparent_hugepage/enabled");
    match file.and_then(|mut file| file.read(&mut text)) {
        Ok(length) => chosen_of(&text[..length]),
        Err(_) => Setting::All,
    }
}

/// On other systems neither can be requested.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
fn ask() -> Setting {
    Setting::None
}

#[cfg(any(test, all(target_os = "linux", not(mm_portable))))]
fn chosen_of(text: &[u8]) -> Setting {
    let has = |chosen: &[u8]| text.windows(chosen.len()).any(|word| word == chosen);
    if has(b"[always]") {
        Setting::All
    } else if has(b"[madvise]") {
        Setting::OfWhoAsks
    } else {
        Setting::None
    }
}

#[cfg(test)]
std::thread_local! {
    static PRETENDED: core::cell::Cell<Option<Setting>> = const { core::cell::Cell::new(None) };
}

/// Runs `f` while this thread assumes that huge pages are the default, or available on request.
#[cfg(test)]
pub(crate) fn pretending<R>(usual: bool, f: impl FnOnce() -> R) -> R {
    let setting = if usual {
        Setting::All
    } else {
        Setting::OfWhoAsks
    };
    PRETENDED.set(Some(setting));
    let result = f();
    PRETENDED.set(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_brackets_holds() {
        assert_eq!(chosen_of(b"[always] madvise never\n"), Setting::All);
        assert_eq!(chosen_of(b"always [madvise] never\n"), Setting::OfWhoAsks);
        assert_eq!(chosen_of(b"always madvise [never]\n"), Setting::None);
        assert_eq!(chosen_of(b""), Setting::None);
    }
}
