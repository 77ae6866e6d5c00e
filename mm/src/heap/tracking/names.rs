//! Names of threads, and of files of C programs. Each is kept once, for ever.

use crate::heap::ground::{Link, meta};
use crate::os::Lock;

const BUCKETS: usize = 256;

/// Bytes that names of one kind may take. A program may start threads with ever new names, and would otherwise
/// pay for each of them for ever.
const MOST_BYTES: usize = 1 << 20;

/// The name of all for which there is no room.
const OTHER: &str = "(other)";

/// Each kind has its own room, so that ever new threads take none from files.
static THREADS: Lock<Names> = Lock::new(Names::new());
static FILES: Lock<Names> = Lock::new(Names::new());

#[derive(Debug)]
struct Names {
    buckets: [Link<Name>; BUCKETS],
    bytes: usize,
}

impl Names {
    const fn new() -> Self {
        Self {
            buckets: [const { Link::none() }; BUCKETS],
            bytes: 0,
        }
    }
}

#[derive(Debug)]
struct Name {
    text: &'static str,
    next: Link<Name>,
}

/// The copy of a thread's name that stays; an empty text without memory for one.
pub(crate) fn kept_thread(name: &str) -> &'static str {
    kept(&THREADS, name)
}

/// The copy of a file's name that stays; an empty text without memory for one.
#[cfg(feature = "capi")]
pub(crate) fn kept_file(name: &str) -> &'static str {
    kept(&FILES, name)
}

fn kept(names: &'static Lock<Names>, name: &str) -> &'static str {
    let mut names = names.lock();
    let bucket = &names.buckets[bucket_of(name)];
    let mut known = core::iter::successors(bucket.get(), |name| name.next.get());
    if let Some(known) = known.find(|known| known.text == name) {
        return known.text;
    }
    let bytes = name.len().saturating_add(names.bytes + size_of::<Name>());
    if bytes > MOST_BYTES {
        return OTHER;
    }
    let new = add(bucket, name);
    if new.is_some() {
        names.bytes = bytes;
    }
    new.unwrap_or_default()
}

fn add(bucket: &Link<Name>, name: &str) -> Option<&'static str> {
    let text = meta::RECORDS.text(name).ok()?;
    let next = Link::none();
    next.set(bucket.get());
    let new = meta::RECORDS.place(Name { text, next }).ok()?;
    bucket.set(Some(new));
    Some(text)
}

/// Names of threads usually differ in their last letters.
fn bucket_of(name: &str) -> usize {
    let sum = name.bytes().fold(name.len(), |sum, letter| {
        sum.wrapping_mul(31).wrapping_add(usize::from(letter))
    });
    sum % BUCKETS
}

/// Takes the locks before a fork.
pub(in crate::heap) fn lock_for_fork() {
    THREADS.lock_for_fork();
    FILES.lock_for_fork();
}

/// Releases the locks that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(in crate::heap) unsafe fn unlock_after_fork() {
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `FILES`.
    unsafe { FILES.unlock_after_fork() };
    // SAFETY: requirement 1 is that of `Lock::unlock_after_fork`, since `lock_for_fork` locked `THREADS`.
    unsafe { THREADS.unlock_after_fork() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let names: Vec<_> = (0..1_000)
            .map(|number| format!("thread {number}"))
            .collect();
        let first: Vec<_> = names.iter().map(|name| kept_thread(name)).collect();
        assert_eq!(first, names);
        let again = names.iter().map(|name| kept_thread(name).as_ptr());
        assert!(again.eq(first.iter().map(|name| name.as_ptr())));
    }

    #[test]
    fn names_of_threads_take_no_room_from_names_of_files() {
        static SOME: Lock<Names> = Lock::new(Names::new());
        static OTHERS: Lock<Names> = Lock::new(Names::new());
        let full = (0..MOST_BYTES).find(|number| kept(&SOME, &number.to_string()) == OTHER);
        assert!(full.is_some_and(|names| names > 10_000), "{full:?}");
        assert_eq!(kept(&SOME, "one more, with a longer text"), OTHER);
        assert_eq!(kept(&SOME, "7"), "7");
        assert_eq!(kept(&OTHERS, "main.c"), "main.c");
    }
}
