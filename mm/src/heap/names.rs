//! Names of threads, and of files of C programs, each kept once and for ever.

use super::link::Link;
use super::meta;
use crate::os::Lock;

const BUCKETS: usize = 256;

/// Bytes that names may take. Who starts threads with ever new names does not want to pay for each for
/// ever.
const MOST_BYTES: usize = 1 << 20;

/// What those are called for which there is no room.
const OTHER: &str = "(other)";

/// All names that were asked for.
static NAMES: Lock<Names> = Lock::new(Names {
    buckets: [const { Link::none() }; BUCKETS],
    bytes: 0,
});

#[derive(Debug)]
struct Names {
    buckets: [Link<Name>; BUCKETS],
    bytes: usize,
}

#[derive(Debug)]
struct Name {
    text: &'static str,
    next: Link<Name>,
}

/// The copy of `name` that stays; an empty text where there is no memory for one.
pub(crate) fn kept(name: &str) -> &'static str {
    let mut names = NAMES.lock();
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

/// Names of threads differ in their last letters, if at all.
fn bucket_of(name: &str) -> usize {
    let sum = name.bytes().fold(name.len(), |sum, letter| {
        sum.wrapping_mul(31).wrapping_add(usize::from(letter))
    });
    sum % BUCKETS
}

/// Holds the lock, before a fork.
pub(super) fn hold() {
    NAMES.hold();
}

/// Ends what [`hold`] began.
///
/// # Safety
///
/// As for [`Lock::let_go`].
pub(super) unsafe fn let_go() {
    // SAFETY: the caller promises the same.
    unsafe { NAMES.let_go() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let names: Vec<_> = (0..1_000)
            .map(|number| format!("thread {number}"))
            .collect();
        let first: Vec<_> = names.iter().map(|name| kept(name)).collect();
        assert_eq!(first, names);
        let again = names.iter().map(|name| kept(name).as_ptr());
        assert!(again.eq(first.iter().map(|name| name.as_ptr())));
    }
}
