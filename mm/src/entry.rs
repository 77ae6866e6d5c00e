//! What programs call about all families, or to begin with one: each call starts mm, then does its work.

use core::alloc::Layout;
use core::panic;

use crate::error::{CheckError, RegisterError};
use crate::family::PageFamily;
use crate::heap::{self, Whose};
use crate::os::ReentrancyGuard;
use crate::profile::{self, FamilyProfile, Profile};
use crate::registry;
use crate::snapshot::{Location, Snapshot};
use crate::startup;
use crate::track::{self, Track};

/// Returns every family, sorted by key: by path, then by location.
///
/// # Examples
///
/// ```
/// #[derive(mm::MmManaged)]
/// struct Emp(u32);
///
/// assert!(mm::families().any(|family| family.name() == "Emp"));
/// ```
pub fn families() -> impl Iterator<Item = &'static PageFamily> {
    startup::begin();
    registry::families()
}

/// Copies every figure of every family.
///
/// It first flushes the calling thread's caches, so a program with one thread sees exact figures
/// of blocks. Families are copied one after the other, each under its own lock alone; nothing is
/// allocated meanwhile.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// let one = MmBox::new(Emp(1));
/// let snapshot = mm::snapshot();
/// let emps = snapshot.family(Emp::page_family().path()).unwrap();
/// assert_eq!((emps.live_blocks, emps.live_bytes), (1, 4));
/// # drop(one);
/// ```
#[must_use]
pub fn snapshot() -> Snapshot {
    startup::begin();
    registry::snapshot()
}

/// Gives back to the kernel all memory that can be given; returns how many bytes that were,
/// counted in whole OS pages, touched or not: what
/// [`reclaimable_bytes`](Snapshot::reclaimable_bytes) says before.
///
/// The calling thread's caches are flushed first; other threads flush theirs at their next call,
/// so what those hold is given back by a later `trim`. Memory that held records of call sites, which
/// [`Track::Off`] left behind, is given back too, but not counted.
///
/// # Examples
///
/// ```
/// use mm::MmManaged;
///
/// #[derive(MmManaged)]
/// struct Row([u64; 512]);
///
/// drop(Row::xcalloc(100));
/// mm::trim();
/// let snapshot = mm::snapshot();
/// # let rows = snapshot.family(Row::page_family().path()).unwrap();
/// assert_eq!(rows.vm_pages, 0);
/// ```
pub fn trim() -> usize {
    startup::begin();
    heap::flush_thread();
    heap::trim_recorded();
    registry::linked_and_listed().map(PageFamily::trim).sum()
}

/// Walks all pages and caches, derives every figure again, and compares.
///
/// For tests, and for the moment when something seems wrong. It takes time in proportion to the
/// heap, and is exact only while no other thread allocates or releases.
///
/// # Errors
///
/// The first difference it meets.
///
/// # Examples
///
/// ```
/// let numbers = mm::PageFamily::register("check-doc", std::alloc::Layout::new::<u64>())?;
/// let number = numbers.alloc(1)?;
/// mm::check()?;
/// # // SAFETY: `alloc` gave the block, which is not used any more.
/// # unsafe { numbers.release(number)? };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check() -> Result<(), CheckError> {
    startup::begin();
    registry::linked_and_listed().try_for_each(PageFamily::check)
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
    startup::begin();
    registry::list_linked();
    track::track_all(which.every());
}

/// Copies what is live of every family, and who allocated it as far as that was recorded.
///
/// It first flushes the calling thread's caches, as [`snapshot`](crate::snapshot()) does, and takes
/// time in proportion to the units of families that are tracked.
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
/// let emps: Vec<_> = (0..3).map(|number| MmBox::new(Emp(number))).collect();
/// let profile = mm::profile();
/// let site = &profile.family(Emp::page_family().path()).unwrap().sites[0];
/// assert_eq!((site.live_blocks, site.thread), (3, "main"));
/// # mm::track(Track::Off);
/// # drop(emps);
/// ```
#[must_use]
pub fn profile() -> Profile {
    startup::begin();
    profile::profile()
}

/// Copies what is live and not kept on purpose, and who allocated it as far as that was recorded.
///
/// At the end of a program that is what leaked; before, it is who holds what. As [`profile`](crate::profile()), but
/// without families and call sites that hold nothing.
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
/// MmBox::leak(MmBox::new(Emp(1)));
/// let leaks = mm::leaks();
/// assert_eq!(leaks.family("Emp").unwrap().leaked_blocks(), 1);
/// println!("{leaks}");
/// # mm::track(Track::Off);
/// ```
#[must_use]
pub fn leaks() -> Profile {
    startup::begin();
    profile::leaks(0)
}

/// As [`leaks`], and copies the first bytes of the oldest value of each call site, `bytes` at most.
/// Where the system lets no process read itself, [`CallSite::value_unreadable`](crate::CallSite::value_unreadable) says so.
///
/// # Safety
///
/// 1. The caller takes the bytes for no value of the type: they may be padding, or half of what another
///    thread writes at the moment.
/// 2. The caller shows them to no person and no program that must not see them: they may be secrets.
///
/// # Examples
///
/// ```
/// use mm::{MmManaged, Track};
///
/// #[derive(MmManaged)]
/// struct Name([u8; 8]);
///
/// mm::track(Track::All);
/// let name = mm::MmBox::new(Name(*b"ada king"));
/// // SAFETY: `leaks_with_values` copies bytes of `name`, which are looked at as bytes and are no secret.
/// let leaks = unsafe { mm::leaks_with_values(3) };
/// assert_eq!(leaks.family("Name").unwrap().sites[0].value.as_deref(), Some(&b"ada"[..]));
/// # mm::track(Track::Off);
/// # drop(name);
/// ```
#[must_use]
pub unsafe fn leaks_with_values(bytes: usize) -> Profile {
    startup::begin();
    profile::leaks(bytes)
}

impl PageFamily {
    /// Registers a family that has no type, for units of `layout`, padded to its alignment.
    ///
    /// # Errors
    ///
    /// [`RegisterError::DuplicateName`] when a family of this name exists, derived ones included;
    /// [`RegisterError::BadLayout`] when units would have no size;
    /// [`RegisterError::OutOfMemory`].
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// let gzip = PageFamily::register("plugin:gzip", Layout::from_size_align(1_000, 16)?)?;
    /// assert_eq!(gzip.layout().size(), 1_008);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn register(name: &str, layout: Layout) -> Result<&'static Self, RegisterError> {
        let caller = panic::Location::caller();
        let location = Location::new(caller.file(), caller.line(), caller.column(), "");
        startup::begin();
        registry::register(name, layout, location)
    }

    /// Says which allocations of this family are recorded from now on, as
    /// [`track`](crate::track()) does for all.
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
    /// #     // SAFETY: `alloc` gave both blocks, which are not used any more.
    /// #     unsafe { words.release(block)? };
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn track(&'static self, which: Track) {
        // Before, or it would begin as all do.
        self.start();
        let _inside = ReentrancyGuard::enter();
        self.heap.track(which.every());
    }

    /// Copies what is live of this family, and who allocated it; see [`profile`](crate::profile()).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// let emps = mm::MmBox::from_fn(3, |_| Emp(1));
    /// let profile = Emp::page_family().profile();
    /// assert_eq!((profile.live_blocks, profile.live_units), (1, 3));
    /// assert_eq!(profile.unrecorded_blocks, 1);
    /// # drop(emps);
    /// ```
    #[must_use]
    pub fn profile(&'static self) -> FamilyProfile {
        startup::begin();
        self.profile_with(0, Whose::Anybody)
    }
}
