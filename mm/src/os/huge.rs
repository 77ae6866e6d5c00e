//! Whether the system backs memory with huge OS pages that nobody asked for.

use super::lock::OnceLock;

/// Whether new memory gets huge OS pages unless somebody asks for small ones. Looked up once.
pub(crate) fn are_usual() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    #[cfg(test)]
    if let Some(pretended) = PRETENDED.get() {
        return pretended;
    }
    *KNOWN.get_or_init(ask)
}

/// The word in brackets is what holds. Where there is no such file, there may be such pages all the
/// same: a sandbox shows no files of the kernel's.
///
/// Source: the kernel's `Documentation/admin-guide/mm/transhuge.rst`.
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn ask() -> bool {
    use std::io::Read;

    let mut text = [0_u8; 64];
    let file = std::fs::File::open("/sys/kernel/mm/transparent_hugepage/enabled");
    match file.and_then(|mut file| file.read(&mut text)) {
        Ok(length) => is_always(&text[..length]),
        Err(_) => true,
    }
}

/// Elsewhere nobody can ask for either.
#[cfg(not(all(target_os = "linux", not(mm_portable))))]
fn ask() -> bool {
    false
}

#[cfg(any(test, all(target_os = "linux", not(mm_portable))))]
fn is_always(text: &[u8]) -> bool {
    let chosen = b"[always]";
    text.windows(chosen.len()).any(|word| word == chosen)
}

#[cfg(test)]
std::thread_local! {
    static PRETENDED: core::cell::Cell<Option<bool>> = const { core::cell::Cell::new(None) };
}

/// Runs `f` while this thread takes them to be usual, or not.
#[cfg(test)]
pub(crate) fn pretending<R>(usual: bool, f: impl FnOnce() -> R) -> R {
    PRETENDED.set(Some(usual));
    let result = f();
    PRETENDED.set(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_brackets_holds() {
        assert!(is_always(b"[always] madvise never\n"));
        assert!(!is_always(b"always [madvise] never\n"));
        assert!(!is_always(b"always madvise [never]\n"));
        assert!(!is_always(b""));
    }
}
