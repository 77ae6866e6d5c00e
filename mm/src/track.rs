//! Whether families record who allocates.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::family::{self, PageFamily};
use crate::heap::{self, Heap, Scope, scopes};
use crate::os::Inside;
use crate::registry;

/// Which allocations are recorded, with call site, thread and time.
///
/// Where a family is tracked, each of its calls takes the family's lock; what that costs is measured
/// by `cargo run --release --example tracking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Track {
    /// None, and what was recorded is forgotten. Once that holds for all families,
    /// [`trim`](crate::trim) gives back the memory of call sites, but not that of names of threads.
    #[default]
    Off,
    /// Each.
    All,
    /// The next, and of each family every so-many-th from there on; 0 and 1 are as `All`.
    Every(u32),
}

/// For families that are listed later: of how many blocks one is recorded.
static AT_START: AtomicU32 = AtomicU32::new(0);

/// Parts of tests that run now. Changed while the list of families is locked.
static SCOPES: AtomicU32 = AtomicU32::new(0);

impl Track {
    /// Of how many blocks one is recorded.
    pub(crate) fn every(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::All => 1,
            Self::Every(blocks) => blocks.max(1),
        }
    }
}

/// Says which allocations are recorded from now on, of all families: those there are, and those
/// to come.
///
/// Of each block that is recorded and live, [`profile`](crate::profile()) and
/// [`leaks`](crate::leaks()) know the call site, the thread and the age. Blocks allocated before
/// are counted apart. A call that std makes, such as in `collect()` or `map(MmBox::new)`, has its call
/// site there; a backtrace tells who called std. While nothing is recorded, nothing is slower. The same is said from outside by
/// `MM_OPTIONS=track` or `MM_OPTIONS=track=1000`.
///
/// A recorded block takes 16 bytes beside its page, and all call sites together, with their stacks, 12 MiB
/// at most; names of threads, 1 MiB. Sites for which there is no room are counted as one, so
/// that sums stay exact; see [`CallSite::location`](crate::CallSite::location).
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged, Track};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// mm::track(Track::All);
/// let (emp, line) = (MmBox::new(Emp(1)), line!());
/// let profile = Emp::page_family().profile();
/// assert_eq!(profile.sites[0].location.line, line);
/// assert_eq!(profile.sites[0].live_blocks, 1);
/// mm::track(Track::Off);
/// # drop(emp);
/// ```
pub fn track(which: Track) {
    // Before: what the environment says comes first, even if there is no family yet.
    family::begin();
    registry::list_linked();
    track_all(which.every());
}

/// Says which allocations are recorded from the start on.
///
/// Another thread may have listed families meanwhile: whoever finds options chosen goes on.
pub(crate) fn track_from_start(every: u32) {
    if every > 0 {
        track_all(every);
    }
}

/// Says it to the families that are listed, and to those to come.
fn track_all(every: u32) {
    let _inside = Inside::enter();
    // Whoever lists itself meanwhile waits, and then begins as is said here.
    let _listing = family::LISTING.lock();
    AT_START.store(every, Relaxed);
    family::listed().for_each(|family| family.heap.track(every));
}

/// Begins a part of a test, in all families.
pub(crate) fn begin_scope() {
    registry::list_linked();
    let _inside = Inside::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(1);
    SCOPES.fetch_add(1, Relaxed);
    family::listed().for_each(|family| family.heap.begin_scopes(1));
}

/// Ends it, on the same thread. What it leaves belongs to `outer` from now on.
pub(crate) fn end_scope(scope: Scope, outer: Scope) {
    let _inside = Inside::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(-1);
    SCOPES.fetch_sub(1, Relaxed);
    scopes::end(scope);
    // Which ends under the same lock.
    let outer = scopes::running(outer);
    family::listed().for_each(|family| family.heap.end_scope(scope, outer));
}

/// Leaves, in a forked child, the parts of tests to the threads that are not there.
pub(crate) fn take_over() {
    SCOPES.store(heap::scopes_begun(), Relaxed);
}

/// Begins with a family that lists itself, while the list is locked.
pub(crate) fn begin(heap: &'static Heap) {
    let (every, scopes) = (AT_START.load(Relaxed), SCOPES.load(Relaxed));
    if every > 0 {
        heap.track(every);
    }
    if scopes > 0 {
        heap.begin_scopes(scopes);
    }
}

impl PageFamily {
    /// Says which allocations of this family are recorded from now on, as
    /// [`track`] does for all.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{PageFamily, Track};
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("track-doc:words", Layout::new::<u64>())?;
    /// let before = words.alloc(1)?;
    /// words.track(Track::All);
    /// let after = words.alloc(3)?;
    /// let profile = words.profile();
    /// assert_eq!((profile.unrecorded_units, profile.sites[0].live_units), (1, 3));
    /// # for block in [before, after] {
    /// #     // SAFETY: the block is live and used by nobody else.
    /// #     unsafe { words.release(block)? };
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn track(&'static self, which: Track) {
        // Before, or it would begin as all do.
        self.list();
        let _inside = Inside::enter();
        self.heap.track(which.every());
    }
}
