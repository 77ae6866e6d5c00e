//! Profiles in pprof's format: the messages of `profile.proto`, compressed with gzip.
//!
//! [`figures`] computes the samples of a family, [`heap`] those of untyped memory, [`stack`] their frames, and
//! [`writer`] puts all into the tables of a [`message::Profile`].

mod build_id;
mod figures;
mod heap;
mod maps;
mod message;
mod stack;
mod writer;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use self::writer::Writer;
use crate::heap_profile::HeapProfile;
use crate::profile::Profile;

impl Profile {
    /// Returns a heap profile in the [format of pprof], which Pyroscope and Parca read too:
    /// protobuf in gzip.
    ///
    /// The sample types are `inuse_space` and `alloc_space`, in bytes, and `inuse_objects` and
    /// `alloc_objects`, in blocks: what is live, and what was allocated since the start of the
    /// process. Shown first is `inuse_space`.
    ///
    /// Every call site is a sample, with its file, line and column as the name of the innermost
    /// frame. If backtraces are recorded, the callers follow, as addresses that pprof looks up in
    /// the program. Labels are `type` (the path of the family), `defined` (where, and the crate's
    /// version) and `thread`, if that has a name.
    ///
    /// The live figures of all samples of a family add up to its live blocks and bytes, because
    /// there are two samples without a call site:
    ///
    /// - `(not recorded)` is the rest: blocks that were allocated while the family was not tracked, or
    ///   between two samples. The size of those released since is unknown, and each counts as one unit in
    ///   `alloc_space`.
    /// - `(kept on purpose)` has the live kept blocks. In the figures since the start they count at their
    ///   call site, or as not recorded.
    ///
    /// If one in `every` blocks is recorded, the figures of call sites are multiplied by `every`,
    /// and a comment of the profile says so. They are an estimate then. If it exceeds the live figures, the
    /// sample `(not recorded)` is empty.
    ///
    /// The call allocates, and needs 512 KiB of stack, most of it for compression. The time of the profile is
    /// the time of this call. Requires the feature `pprof`.
    ///
    /// [format of pprof]: https://github.com/google/pprof/blob/main/proto/profile.proto
    ///
    /// # Examples
    ///
    /// ```no_run
    /// std::fs::write("heap.pb.gz", mm::profile().to_pprof())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// Then `pprof -top heap.pb.gz`, or `pprof -http=: PROGRAM heap.pb.gz`. The bytes begin with the magic
    /// number of gzip:
    ///
    /// ```
    /// assert!(mm::profile().to_pprof().starts_with(&[0x1f, 0x8b]));
    /// ```
    #[must_use]
    pub fn to_pprof(&self) -> Vec<u8> {
        let mut writer = Writer::new(since_epoch(), maps::executable());
        for family in &self.families {
            writer.add(family);
        }
        writer.describe(self);
        gzip(&writer.finish().encode_to_vec())
    }
}

impl HeapProfile {
    /// Returns the untyped memory by stack, in the format of [`Profile::to_pprof`], with the same sample types.
    ///
    /// Every stack is a sample, with its return addresses. No name is looked up: the profile says which file is where
    /// in the address space, and its build id, so that pprof looks up names in the program itself.
    ///
    /// The figures of stacks are estimates; see [`HeapUsage`](crate::HeapUsage). The sample `(not attributed)` is what
    /// is live besides, so that the live figures of all samples add up to
    /// [`live_bytes`](Self::live_bytes) and [`live_blocks`](Self::live_blocks), up to rounding. If the stacks stand for
    /// more than that by chance, it is empty.
    ///
    /// The call allocates, and needs 512 KiB of stack. The time of the profile is the time of this call. Requires the
    /// feature `pprof`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// std::fs::write("heap.pb.gz", mm::heap_profile().to_pprof())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// Then `pprof -top PROGRAM heap.pb.gz`, or `pprof -http=: PROGRAM heap.pb.gz`. The bytes begin with the magic
    /// number of gzip:
    ///
    /// ```
    /// assert!(mm::heap_profile().to_pprof().starts_with(&[0x1f, 0x8b]));
    /// ```
    #[must_use]
    pub fn to_pprof(&self) -> Vec<u8> {
        let mut writer = Writer::new(since_epoch(), maps::executable());
        heap::write(self, &mut writer);
        gzip(&writer.finish().encode_to_vec())
    }
}

/// Returns the time since 1970, or zero if the clock is set before that.
fn since_epoch() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}

/// Compresses bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("a vector takes all that is written")
}
