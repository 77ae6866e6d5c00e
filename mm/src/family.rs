//! `PageFamily`: one type's layout, heap and figures.

use core::alloc::Layout;
use core::fmt;
use core::panic;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::error::{AllocError, CheckError};
use crate::events;
use crate::fork;
use crate::heap::{Block, CacheCell, Figures, Heap, Link, Shortage, quota};
use crate::holders::Holders;
use crate::limit::SoftLimit;
use crate::options;
use crate::os::{self, Inside, Lock, process};
use crate::snapshot::Location;
use crate::sync::AtomicBool;
use crate::track;

/// All that belongs to one type: its layout, its VM pages, its figures.
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
/// // SAFETY: the block is live and used by nobody else.
/// unsafe { plugin.release(window)? };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PageFamily {
    name: &'static str,
    path: Path,
    layout: Layout,
    location: Location,
    /// Units that the type's attributes allow.
    pub(crate) limit_at_start: u64,
    pub(crate) heap: Heap,
    /// Who wants to know when the family holds more than so much.
    pub(crate) soft_limit: Link<SoftLimit>,
    listed: AtomicBool,
    next_listed: Link<PageFamily>,
    pub(crate) next_of_bucket: Link<PageFamily>,
}

/// Where the path comes from: a type's is known only once the program runs.
enum Path {
    OfType(fn() -> &'static str),
    RunTime(&'static str),
}

/// The newest family that listed itself; each leads to the one before.
static LISTED: Link<PageFamily> = Link::none();

/// Held while a family lists itself.
pub(crate) static LISTING: Lock<()> = Lock::new(());

/// Does what comes before the first family, once.
///
/// Under no lock of ours: `dlopen` takes one, which a thread may hold that waits for ours in a
/// library's constructor.
pub(crate) fn begin() {
    options::settle();
    fork::watch();
    os::stay_loaded();
}

/// All families that listed themselves, newest first.
pub(crate) fn listed() -> impl Iterator<Item = &'static PageFamily> {
    listed_from(LISTED.get())
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

    const fn with_path(name: &'static str, path: Path, layout: Layout, location: Location) -> Self {
        Self {
            name,
            path,
            layout,
            location,
            limit_at_start: quota::NONE,
            heap: Heap::new(layout),
            soft_limit: Link::none(),
            listed: AtomicBool::new(false),
            next_listed: Link::none(),
            next_of_bucket: Link::none(),
        }
    }

    /// Bytes of one unit, for who makes the family.
    pub(crate) const fn unit_at_start(&self) -> usize {
        self.layout.size()
    }

    /// Returns the short name: that of the type, or the one given.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().name(), "Emp");
    /// ```
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the full path of the type; of a run-time family, its name.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().path(), std::any::type_name::<Emp>());
    /// ```
    pub fn path(&self) -> &'static str {
        match self.path {
            Path::OfType(path) => path(),
            Path::RunTime(name) => name,
        }
    }

    /// Returns size and alignment of one unit, in bytes.
    ///
    /// ```
    /// # #[derive(mm::MmManaged)] struct Emp(u32);
    /// # use mm::MmManaged;
    /// assert_eq!(Emp::page_family().layout(), std::alloc::Layout::new::<Emp>());
    /// ```
    pub fn layout(&self) -> Layout {
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
        self.location
    }

    /// Returns whether the family was registered while the program ran.
    pub(crate) fn is_run_time(&self) -> bool {
        matches!(self.path, Path::RunTime(_))
    }

    /// Allocates a block of `units` units; their bytes are unspecified.
    ///
    /// The block is released through [`release`](Self::release) or [`xfree_raw`](crate::xfree_raw).
    ///
    /// # Errors
    ///
    /// As [`MmManaged::try_xcalloc`](crate::MmManaged::try_xcalloc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("alloc-doc:words", Layout::new::<u64>())?;
    /// let word = words.alloc(1)?.cast::<u64>();
    /// // SAFETY: the unit is large enough, aligned, and ours.
    /// unsafe { word.write(7) };
    /// // SAFETY: the block is live and used by nobody else.
    /// unsafe { words.release(word.cast())? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn alloc(&'static self, units: usize) -> Result<NonNull<u8>, AllocError> {
        let block = self.alloc_block(units, panic::Location::caller())?;
        Ok(block.unspecified(units * self.layout.size()))
    }

    /// Allocates a block of `units` units, all bytes zero.
    ///
    /// # Errors
    ///
    /// As [`MmManaged::try_xcalloc`](crate::MmManaged::try_xcalloc).
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::PageFamily;
    /// # use std::alloc::Layout;
    /// let words = PageFamily::register("alloc-zeroed-doc:words", Layout::new::<u64>())?;
    /// let four = words.alloc_zeroed(4)?.cast::<[u64; 4]>();
    /// // SAFETY: the block holds four zeroed words.
    /// assert_eq!(unsafe { four.read() }, [0; 4]);
    /// // SAFETY: the block is live and used by nobody else.
    /// unsafe { words.release(four.cast())? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn alloc_zeroed(&'static self, units: usize) -> Result<NonNull<u8>, AllocError> {
        let block = self.alloc_block(units, panic::Location::caller())?;
        Ok(block.zeroed(units * self.layout.size()))
    }

    /// Releases a block as the owner of an `MmBox` does.
    #[cfg(test)]
    pub(crate) fn heap_release_through_cache(&'static self, block: NonNull<u8>, units: usize) {
        self.heap.with_cell(|cell| match cell {
            // SAFETY: the tests give up live blocks of theirs.
            Some(cell) => unsafe { self.heap.release(cell, block, units) },
            // Without memory for a cell. SAFETY: as above.
            None => unsafe { self.release(block) }.expect("live"),
        });
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

    /// Walks the family's pages and caches, derives every figure again, and compares.
    ///
    /// For tests, and for the moment when something seems wrong. It takes time in proportion to
    /// the family's pages, and is exact only while no other thread allocates or releases.
    ///
    /// # Errors
    ///
    /// The first difference it meets.
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
            family: self.name,
            figure: differs.what,
            kept: differs.kept,
            found: differs.found,
        })
    }

    /// Gives back all memory that can be given; returns bytes.
    pub(crate) fn trim(&'static self) -> usize {
        self.heap.trim()
    }

    /// Puts the family on the list of all, once.
    pub(crate) fn list(&'static self) {
        if self.listed.load(Ordering::Acquire) {
            return;
        }
        begin();
        let _inside = Inside::enter();
        let _listing = LISTING.lock();
        // Whoever returns from here finds the family on the list.
        if !self.listed.load(Ordering::Relaxed) {
            self.heap.number();
            track::begin(&self.heap);
            self.next_listed.set(LISTED.get());
            LISTED.set(Some(self));
            self.listed.store(true, Ordering::Release);
        }
    }

    /// Allocates when `cell`, the calling thread's, had nothing at hand.
    pub(crate) fn alloc_slow(
        &'static self,
        cell: &CacheCell,
        units: usize,
        location: &'static panic::Location<'static>,
    ) -> Result<Block, AllocError> {
        // Where the linker stripped the type's constructor, this is how it gets into the registry.
        self.list();
        let answer = {
            let _inside = Inside::enter();
            self.heap.alloc(cell, units, location)
        };
        self.answered(answer, units)
    }

    /// Allocates through the calling thread's table of cells.
    fn alloc_block(
        &'static self,
        units: usize,
        location: &'static panic::Location<'static>,
    ) -> Result<Block, AllocError> {
        self.heap.with_cell(|cell| match cell {
            Some(cell) if units == 1 => match self.at_hand(cell) {
                Some(unit) => Ok(unit),
                None => self.alloc_slow(cell, 1, location),
            },
            Some(cell) => self.alloc_slow(cell, units, location),
            None => self.alloc_uncached(units, location),
        })
    }

    fn at_hand(&self, cell: &CacheCell) -> Option<Block> {
        let _inside = Inside::enter();
        cell.take(self.layout.size())
    }

    #[cold]
    fn alloc_uncached(
        &'static self,
        units: usize,
        location: &'static panic::Location<'static>,
    ) -> Result<Block, AllocError> {
        self.list();
        let answer = {
            let _inside = Inside::enter();
            self.heap.alloc_uncached(units, location)
        };
        self.answered(answer, units)
    }

    /// Says what became of a call, outside of mm's own work.
    fn answered(
        &'static self,
        answer: Result<Block, Shortage>,
        units: usize,
    ) -> Result<Block, AllocError> {
        let block = answer.map_err(|shortage| self.refused(shortage, units))?;
        if self.heap.take_crossing() {
            self.tell_of_crossing(block.first, units);
        }
        Ok(block)
    }

    #[cold]
    fn refused(&'static self, shortage: Shortage, units: usize) -> AllocError {
        let error = self.alloc_error(shortage, units);
        if matches!(error, AllocError::QuotaExceeded { .. }) {
            events::refused(self, &error);
        }
        error
    }

    /// Calls who wants to know that the soft limit was crossed, before the block that did it is
    /// handed out.
    #[cold]
    fn tell_of_crossing(&'static self, block: NonNull<u8>, units: usize) {
        let Some(soft) = self.soft_limit.get() else {
            return;
        };
        let told = std::panic::catch_unwind(panic::AssertUnwindSafe(|| {
            events::crossed(self);
            soft.tell(self);
        }));
        if let Err(panic) = told {
            if units > 0 {
                // SAFETY: the block is live, of this many units, and nobody has it yet.
                unsafe { self.heap.take_back(block, units) };
            }
            std::panic::resume_unwind(panic);
        }
    }

    fn alloc_error(&self, shortage: Shortage, units: usize) -> AllocError {
        let (family, unit_size) = (self.name, self.layout.size());
        match shortage {
            Shortage::OverLimit => AllocError::QuotaExceeded {
                family,
                units,
                unit_size,
                limit_bytes: self.heap.limit().saturating_mul(unit_size as u64),
                largest: Holders::now().largest(),
            },
            Shortage::OverSharedLimit { limit } => AllocError::QuotaExceeded {
                family,
                units,
                unit_size,
                limit_bytes: limit,
                largest: Holders::now().largest(),
            },
            Shortage::Overflow => AllocError::SizeOverflow {
                family,
                units,
                unit_size,
            },
            Shortage::NoMemory => AllocError::OutOfMemory {
                family,
                units,
                unit_size,
            },
            Shortage::Written { address } => written_after_release(family, address),
        }
    }
}

/// Ends the process: somebody wrote to a block after it was released.
#[cold]
fn written_after_release(family: &str, address: usize) -> ! {
    process::say_last(format_args!(
        "the byte at {address:#x} of page family `{family}` was written after its block was released; aborting"
    ));
    std::process::abort();
}

// A family is whole after a panic, wherever it came from: no code of others runs under its lock.
impl panic::RefUnwindSafe for PageFamily {}

impl fmt::Debug for PageFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageFamily")
            .field("name", &self.name)
            .field("path", &self.path())
            .field("layout", &self.layout)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
