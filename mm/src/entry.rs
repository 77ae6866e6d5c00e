//! Public entry points for all families, and for registering or tracking one.
//!
//! Each call runs mm's one-time start-up first, and then does its work.

use core::alloc::Layout;
use core::panic;

use crate::error::{CheckError, RegisterError};
use crate::family::PageFamily;
use crate::heap::{self, Whose};
use crate::os::ReentrancyGuard;
use crate::profile::{self, FamilyProfile, Profile};
use crate::registry;
use crate::snapshot::{FamilyKey, Location, Snapshot};
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
/// The call first flushes the calling thread's caches, so a program with one thread sees exact figures
/// of blocks. Families are copied one after the other, each under its own lock only; copying allocates
/// nothing.
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

/// Returns all unused memory to the kernel, and returns its size in bytes.
///
/// The size counts whole OS pages, whether or not they were touched. It is what
/// [`reclaimable_bytes`](Snapshot::reclaimable_bytes) reports before the call.
///
/// The call flushes the calling thread's caches first. Other threads flush theirs at their next call,
/// so a later `trim` returns what those hold. The memory of call-site records that [`Track::Off`] left
/// behind is returned too, but not counted.
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

/// Walks all pages and caches, computes every figure again, and compares it with the stored one.
///
/// It is meant for tests and for debugging. It takes time in proportion to the size of the heap, and
/// is exact only while no other thread allocates or releases.
///
/// # Errors
///
/// Returns the first difference found.
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

/// Sets which allocations are recorded from now on, for all existing and future families.
///
/// For each recorded live block, [`profile`](crate::profile()) and [`leaks`](crate::leaks()) report the
/// call site, the thread and the age. Blocks that were allocated before are counted separately. If std
/// makes the call, as in `collect()` or `map(MmBox::new)`, the call site lies in std; a backtrace shows
/// the function that called std. Recording costs time only while it is on. `MM_OPTIONS=track` and
/// `MM_OPTIONS=track=1000` turn it on without a change to the program.
///
/// A recorded block takes 16 bytes beside its page. All call sites with their stacks take 12 MiB at
/// most, and names of threads 1 MiB at most. Call sites that do not fit are counted as one, so that
/// sums stay exact; see [`CallSite::location`](crate::CallSite::location).
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
    // Start-up first, even without a family: it applies the environment's options, which this call overrides.
    startup::begin();
    registry::list_linked();
    track::track_all(which.every());
}

/// Copies the live figures of every family, and the call sites of recorded blocks.
///
/// The call first flushes the calling thread's caches, as [`snapshot`](crate::snapshot()) does. It takes
/// time in proportion to the units of tracked families.
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

/// Copies the figures of live blocks that are not kept on purpose, and their recorded call sites.
///
/// Blocks of types and of registered families count. What [`Global`](crate::Global) allocates does not, since
/// std and the C library keep memory until the end of any program.
///
/// At the end of a program these are the leaks; earlier, they show which call sites hold memory. The
/// result is that of [`profile`](crate::profile()) without families and call sites that hold nothing.
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

/// Returns what [`leaks`] returns, and copies up to `bytes` bytes of the oldest value of each call site.
///
/// If the system does not let a process read itself,
/// [`CallSite::value_unreadable`](crate::CallSite::value_unreadable) is true.
///
/// # Safety
///
/// 1. The caller does not treat the bytes as a value of the type: they may be padding, or a value that
///    another thread has written only in part.
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
    /// Registers a family without a type, for units of `layout`, padded to its alignment.
    ///
    /// # Errors
    ///
    /// Returns [`RegisterError::DuplicateName`] if a family of this name exists, derived ones included;
    /// [`RegisterError::BadLayout`] if units would have size zero, or be too large;
    /// [`RegisterError::OutOfMemory`] if there is no memory for the family's record.
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

    /// Sets which allocations of this family are recorded from now on, as
    /// [`track`](crate::track()) does for all families.
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
        // First: a family that is listed later would begin with the setting of all families.
        self.start();
        let _inside = ReentrancyGuard::enter();
        self.heap.track(which.every());
    }

    /// Copies this family's live figures and recorded call sites; see [`profile`](crate::profile()).
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

    /// Returns the key that identifies the family uniquely, also among families of the same path.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// let key = Emp::page_family().key().to_string();
    /// assert!(key.starts_with(std::any::type_name::<Emp>()));
    /// ```
    pub fn key(&'static self) -> FamilyKey {
        startup::begin();
        self.listed_key()
    }
}
