//! `PageFamily`: one type's layout, heap and figures.

pub(crate) mod by_name;
#[cfg(feature = "capi")]
mod c_names;
mod heap_soft_limit;
mod identity_index;
#[cfg(all(test, loom))]
mod models;
mod soft_limit;

use core::alloc::Layout;
use core::fmt;
use core::panic;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

#[cfg(feature = "capi")]
pub(crate) use c_names::CNames;
pub(crate) use heap_soft_limit::HeapSoftLimit;
use identity_index::{Chains, IdentityIndex};
pub(crate) use soft_limit::SoftLimit;

use crate::error::CheckError;
use crate::heap::{Figures, Heap, Link, quota};
use crate::os::{Lock, ReentrancyGuard};
use crate::snapshot::{FamilyKey, Identity, Location, Path};
use crate::sync::AtomicBool;

/// The page family of one type: its layout, its VM pages, its figures.
///
/// The derive makes one for every type; [`PageFamily::register`] makes one while the program
/// runs. A family lives as long as the process.
///
/// # Examples
///
/// ```
/// use mm::PageFamily;
/// use std::alloc::Layout;
///
/// let plugin = PageFamily::register("family-doc:gzip", Layout::from_size_align(1_024, 16)?)?;
/// let window = plugin.alloc_zeroed(2)?;
/// // SAFETY: `alloc_zeroed` gave the block, which is not used any more.
/// unsafe { plugin.release(window)? };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PageFamily {
    identity: Identity,
    layout: Layout,
    /// Live units that the type's attributes allow; `quota::NONE` if they set no limit.
    pub(crate) limit_at_start: u64,
    pub(crate) heap: Heap,
    /// The current soft limit and its closure.
    pub(crate) soft_limit: Link<SoftLimit>,
    listed: AtomicBool,
    next_listed: Link<PageFamily>,
    /// Links to the next families in the buckets of [`IdentityIndex`].
    chains: Chains,
    /// Link to the next family in its bucket of the registry's index.
    pub(crate) next_of_bucket: Link<PageFamily>,
    /// The names as C strings, once a C program asked for them.
    #[cfg(feature = "capi")]
    pub(crate) c_names: Link<CNames>,
}

/// The head of the list of all families: the newest. Each family links to the one that was listed before it.
static NEWEST: Link<PageFamily> = Link::none();

/// The lock of that list, with an index of its families. A thread holds it while it adds a family.
pub(crate) static LISTING: Lock<IdentityIndex> = Lock::new(IdentityIndex::new());

/// All families on the list, newest first.
pub(crate) fn listed() -> impl Iterator<Item = &'static PageFamily> {
    listed_from(NEWEST.get())
}

/// The family that a heap belongs to, once it is listed.
pub(crate) fn of_heap(heap: &'static Heap) -> Option<&'static PageFamily> {
    listed().find(|family| ptr::eq(&raw const family.heap, heap))
}

/// Finds the family of the block at `first`, whose units have size zero and the alignment `align`.
pub(crate) fn of_zero_sized(first: NonNull<u8>, align: usize) -> Option<&'static PageFamily> {
    let number = Heap::number_of_no_size(first.addr(), align)?;
    listed().find(|family| family.layout.size() == 0 && family.number() == number)
}

/// The family `newest` and those listed before it.
pub(crate) fn listed_from(
    newest: Option<&'static PageFamily>,
) -> impl Iterator<Item = &'static PageFamily> {
    core::iter::successors(newest, |family| family.next_listed.get())
}

impl PageFamily {
    /// Makes the family of a type, for the static that the derive writes.
    pub(crate) const fn derived(
        name: &'static str,
        path: fn() -> &'static str,
        layout: Layout,
        location: Location,
    ) -> Self {
        Self::with_path(name, Path::OfType(path), layout, location)
    }

    /// Makes a family without a type.
    pub(crate) const fn run_time(name: &'static str, layout: Layout, location: Location) -> Self {
        Self::with_path(name, Path::RunTime(name), layout, location)
    }

    /// Makes a family of untyped blocks, for [`Global`](crate::Global).
    pub(crate) const fn untyped(name: &'static str, layout: Layout) -> Self {
        let mut family = Self::run_time(name, layout, Location::new("", 0, 0, ""));
        family.heap.begin_untyped();
        family
    }

    /// Makes a family for C programs, which release its blocks by address only. Families of several
    /// instances may have one name; `path` distinguishes them.
    #[cfg(feature = "capi")]
    pub(crate) fn of_c(
        name: &'static str,
        path: &'static str,
        layout: Layout,
        location: Location,
    ) -> Self {
        let mut family = Self::with_path(name, Path::RunTime(path), layout, location);
        family.heap.begin_with_canaries();
        family
    }

    const fn with_path(name: &'static str, path: Path, layout: Layout, location: Location) -> Self {
        Self {
            identity: Identity::new(name, path, location),
            layout,
            limit_at_start: quota::NONE,
            heap: Heap::new(layout),
            soft_limit: Link::none(),
            listed: AtomicBool::new(false),
            next_listed: Link::none(),
            chains: Chains::none(),
            next_of_bucket: Link::none(),
            #[cfg(feature = "capi")]
            c_names: Link::none(),
        }
    }

    /// Returns the short name: the type's, or the one that the family was registered with.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().name(), "Emp");
    /// ```
    pub fn name(&self) -> &'static str {
        self.identity.name()
    }

    /// Returns the full path of the type, or the name of a run-time family.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().path(), std::any::type_name::<Emp>());
    /// ```
    pub fn path(&self) -> &'static str {
        self.identity.path()
    }

    /// Returns the key without starting mm; the public `key` starts it first.
    pub(crate) fn listed_key(&'static self) -> FamilyKey {
        // List it first: that numbers it among families of the same path and location.
        self.list();
        FamilyKey::of(&self.identity)
    }

    /// The family's label in messages: its name, or its path or key if another family has the name.
    pub(crate) fn label(&'static self) -> &'static str {
        // List it first: that finds the families that share its name or path.
        self.list();
        self.identity.label()
    }

    /// Returns size and alignment of one unit, in bytes.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().layout(), std::alloc::Layout::new::<Emp>());
    /// ```
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns where the family was defined.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert!(Emp::page_family().location().line > 0);
    /// ```
    pub fn location(&self) -> Location {
        self.identity.location()
    }

    /// Returns whether the family was registered while the program ran.
    pub(crate) fn is_run_time(&self) -> bool {
        self.identity.is_run_time()
    }

    /// Whether the family is one of `Global`'s, whose blocks have no type.
    pub(crate) fn is_untyped(&self) -> bool {
        self.heap.is_untyped()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn chains(&self) -> &Chains {
        &self.chains
    }

    /// The family's number, from 0.
    pub(crate) fn number(&self) -> usize {
        self.heap.number()
    }

    /// Units that are live.
    pub(crate) fn live_units(&'static self) -> u64 {
        self.heap.live_units()
    }

    /// Copies the figures.
    pub(crate) fn figures(&'static self) -> Figures {
        self.heap.figures()
    }

    /// Walks the family's pages and caches, computes every figure again, and compares it with the stored one.
    ///
    /// It is meant for tests and for debugging. It takes time in proportion to the family's pages, and is
    /// exact only while no other thread allocates or releases.
    ///
    /// # Errors
    ///
    /// Returns the first difference found.
    ///
    /// # Examples
    ///
    /// ```
    /// #[derive(mm::MmManaged)]
    /// struct Emp(u32);
    /// # use mm::MmManaged;
    ///
    /// let one = mm::MmBox::new(Emp(1));
    /// Emp::page_family().check()?;
    /// # drop(one);
    /// # Ok::<(), mm::CheckError>(())
    /// ```
    pub fn check(&'static self) -> Result<(), CheckError> {
        self.heap.check().map_err(|differs| CheckError {
            family: self.label(),
            figure: differs.what,
            kept: differs.kept,
            found: differs.found,
        })
    }

    /// Gives all unused memory back to the kernel, and returns how many bytes that is.
    pub(crate) fn trim(&'static self) -> usize {
        self.heap.trim()
    }

    /// Whether the family is on the list of all families.
    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Acquire)
    }

    /// Adds the family to the list of all families, unless it is on it.
    pub(crate) fn list(&'static self) {
        if self.is_listed() {
            return;
        }
        let _inside = ReentrancyGuard::enter();
        let mut listing = LISTING.lock();
        // Another thread may have added it before this one got the lock.
        if !self.listed.load(Ordering::Relaxed) {
            self.heap.number();
            self.heap.begin_tracking();
            listing.add(self);
            self.next_listed.set(NEWEST.get());
            NEWEST.set(Some(self));
            self.listed.store(true, Ordering::Release);
        }
    }
}

// A family is consistent after any panic: no user code runs under its lock.
impl panic::RefUnwindSafe for PageFamily {}

impl fmt::Debug for PageFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageFamily")
            .field("name", &self.name())
            .field("path", &self.path())
            .field("layout", &self.layout)
            .field("location", &self.location())
            .finish_non_exhaustive()
    }
}
