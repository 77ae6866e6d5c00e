//! An index of the list of all families, which finds those that share a name or a path.
//!
//! It is used while a family is added to the list, under the list's lock.

use core::fmt::{self, Write};
use core::hash::{BuildHasher, BuildHasherDefault};
use std::hash::DefaultHasher;
use std::sync::OnceLock;

use super::PageFamily;
use crate::heap::RECORDS;
use crate::snapshot::Identity;

const BUCKETS: usize = 1_024;

/// The families on the list, by name and by path.
pub(crate) struct IdentityIndex {
    by_name: [Bucket; BUCKETS],
    by_path: [Bucket; BUCKETS],
}

/// The newest family of a bucket. Each family links to the one that was added to the bucket before it.
type Bucket = Option<&'static PageFamily>;

/// A family's links to the next ones in its buckets. They are set once, under the list's lock.
#[derive(Debug)]
pub(crate) struct Chains {
    by_name: OnceLock<Bucket>,
    by_path: OnceLock<Bucket>,
}

impl Chains {
    pub(crate) const fn none() -> Self {
        Self {
            by_name: OnceLock::new(),
            by_path: OnceLock::new(),
        }
    }
}

impl IdentityIndex {
    pub(crate) const fn new() -> Self {
        Self {
            by_name: [None; BUCKETS],
            by_path: [None; BUCKETS],
        }
    }

    /// Adds a family that is not on the list yet, and sets what distinguishes it from those that are.
    pub(crate) fn add(&mut self, new: &'static PageFamily) {
        let identity = new.identity();
        let (name, path) = (identity.name(), identity.path());
        let (name_bucket, path_bucket) = (bucket_of(name), bucket_of(path));
        for (text, bucket) in [(name, name_bucket), (path, path_bucket)] {
            // One of each is enough: if several share the text, all of them are marked already.
            let named = self.named(bucket).find(|other| other.name() == text);
            let with_path = self.with_path(bucket).find(|other| other.path() == text);
            for other in named.into_iter().chain(with_path) {
                identity.account_shared(other.identity());
                keep_text(other.identity());
            }
        }
        let mut others = self.with_path(path_bucket).map(PageFamily::identity);
        let newest = others.find(|other| other.is_like(identity));
        identity.set_nth(newest.map_or(1, |other| other.nth() + 1));
        keep_text(identity);
        // Each is set for the first time.
        let _ = new.chains().by_name.set(self.by_name[name_bucket]);
        let _ = new.chains().by_path.set(self.by_path[path_bucket]);
        self.by_name[name_bucket] = Some(new);
        self.by_path[path_bucket] = Some(new);
    }

    fn named(&self, bucket: usize) -> impl Iterator<Item = &'static PageFamily> + use<> {
        chain(self.by_name[bucket], |chains| &chains.by_name)
    }

    fn with_path(&self, bucket: usize) -> impl Iterator<Item = &'static PageFamily> + use<> {
        chain(self.by_path[bucket], |chains| &chains.by_path)
    }
}

fn chain(
    newest: Bucket,
    which: fn(&Chains) -> &OnceLock<Bucket>,
) -> impl Iterator<Item = &'static PageFamily> {
    core::iter::successors(newest, move |family| {
        which(family.chains()).get().copied().flatten()
    })
}

/// Longest text of a key that is stored, in bytes; most are shorter.
const LONGEST: usize = 1_024;

/// Stores the text of a key, which messages need from now on. If there is no memory for it, they use the path.
fn keep_text(identity: &Identity) {
    let Some(wanted) = identity.wanted_text() else {
        return;
    };
    let mut text = Text {
        bytes: [0; LONGEST],
        length: 0,
    };
    if write!(text, "{wanted}").is_ok()
        && let Ok(whole) = core::str::from_utf8(&text.bytes[..text.length])
        && let Ok(kept) = RECORDS.text(whole)
    {
        identity.set_text(kept);
    }
}

/// A text on the stack.
struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..self.length + more.len());
        room.ok_or(fmt::Error)?.copy_from_slice(more.as_bytes());
        self.length += more.len();
        Ok(())
    }
}

fn bucket_of(text: &str) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(text);
    usize::try_from(hash % BUCKETS as u64).unwrap_or_default()
}
